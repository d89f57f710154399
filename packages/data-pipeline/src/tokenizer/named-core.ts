import { type BuildCore, TokenizerError } from './tokenizer-core.js';

/** A core whose library's complaints about a text or ids name the file. */
export const namedCore =
  (file: string, build: BuildCore): BuildCore =>
  (json, config) => {
    const core = build(json, config);
    const naming = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (cause) {
        if (cause instanceof TokenizerError) throw cause;
        throw new TokenizerError(`${file}: ${(cause as Error).message}`, { cause });
      }
    };
    return {
      encodeBatch: (texts, addSpecialTokens) => naming(() => core.encodeBatch(texts, addSpecialTokens)),
      encodeWithPlaces: (text) => naming(() => core.encodeWithPlaces(text)),
      decode: (ids) => naming(() => core.decode(ids)),
      vocabSize: () => core.vocabSize(),
    };
  };
