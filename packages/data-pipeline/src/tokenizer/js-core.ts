import { placesFromTokens } from './token-places.js';
import { type BuildCore, TokenizerError } from './tokenizer-core.js';

/** Loads the pure JavaScript library. */
export async function loadJsCore(): Promise<BuildCore> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  return (json, config) => {
    const tokenizer = new Tokenizer(json, { ...config, clean_up_tokenization_spaces: false });
    return {
      async encodeBatch(texts, addSpecialTokens) {
        return texts.map((text) =>
          Int32Array.from(tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids),
        );
      },
      async encodeWithPlaces(text) {
        const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: false });
        const places = () => {
          const found = placesFromTokens(text, tokens, json);
          if (found) return found;
          throw new TokenizerError(
            "the JavaScript tokenizer cannot tell where this text's tokens lie; use the Rust one (LETHE_TOKENIZER=rust)",
          );
        };
        return { ids: Int32Array.from(ids), places };
      },
      async decode(ids) {
        return tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
      },
      vocabSize: () => largest(tokenizer.get_vocab(true).values()) + 1,
    };
  };
}

function largest(ids: Iterable<number>): number {
  let most = -1;
  for (const id of ids) most = Math.max(most, id);
  return most;
}
