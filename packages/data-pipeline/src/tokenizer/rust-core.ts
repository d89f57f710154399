import { requireRustLimits } from './rust-limits.js';
import { placesFromOffsets } from './token-places.js';
import type { BuildCore } from './tokenizer-core.js';

/** Loads the native library. @throws when there is no binary for this machine. */
export async function loadRustCore(): Promise<BuildCore> {
  const { Tokenizer } = await import('tokenizers');
  return (json) => {
    requireRustLimits(json);
    const tokenizer = Tokenizer.fromString(JSON.stringify(json));
    return {
      async encodeBatch(texts, addSpecialTokens) {
        const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens });
        return encodings.map((encoding) => Int32Array.from(encoding.getIds()));
      },
      async encodeWithPlaces(text) {
        const encoding = await tokenizer.encode(text, null, { addSpecialTokens: false });
        return {
          ids: Int32Array.from(encoding.getIds()),
          places: () => placesFromOffsets(text, encoding.getOffsets()),
        };
      },
      decode: (ids) => tokenizer.decode(ids, false),
      vocabSize: () => Object.values(tokenizer.getVocab(true)).reduce((size, id) => Math.max(size, id + 1), 0),
    };
  };
}
