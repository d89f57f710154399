import type { TokenizerJson } from './tokenizer-core.js';

/** A name that no text spells: it holds a code point that Unicode will never assign. */
export const hiddenName = (index: number): string => `\u{10ffff}${index}\u{10ffff}`;

/**
 * The same tokenizer with its special tokens renamed to something no text contains, ids unchanged, so that text which
 * spells a special token is encoded as ordinary characters. `isRendered`: the hidden names themselves are looked for as
 * the special tokens were, in normalized text or not.
 */
export function literalJson(json: TokenizerJson, isRendered = false): TokenizerJson {
  const names = new Map<string, string>();
  for (const [index, token] of (json.added_tokens ?? []).entries()) {
    if (token.special) names.set(token.content, hiddenName(index));
  }
  const rename = (token: string) => (token === json.model.unk_token ? token : (names.get(token) ?? token));
  const { vocab } = json.model;
  return {
    ...json,
    added_tokens: (json.added_tokens ?? [])
      // The unknown token keeps its name, since the model looks it up; left out here, it is not matched in text.
      .filter((token) => token.content !== json.model.unk_token)
      .map((token) => {
        const normalized = isRendered && token.normalized;
        return token.special ? { ...token, content: rename(token.content), normalized } : token;
      }),
    post_processor: null,
    model: {
      ...json.model,
      vocab: Array.isArray(vocab)
        ? vocab.map(([token, score]): [string, number] => [rename(token), score])
        : Object.fromEntries(Object.entries(vocab).map(([token, id]) => [rename(token), id])),
    },
  };
}
