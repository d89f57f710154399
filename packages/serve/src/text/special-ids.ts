import type { Tokenizer } from '@lethe/data-pipeline';

const known = new WeakMap<Tokenizer, ReadonlySet<number>>();

/** Ids of a tokenizer's special tokens. */
export function specialIds(tokenizer: Tokenizer): ReadonlySet<number> {
  let ids = known.get(tokenizer);
  if (!ids) {
    const names = new Set(tokenizer.specialTexts());
    const all = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
    ids = new Set(all.filter((id) => names.has(tokenizer.specialText(id) ?? '')));
    known.set(tokenizer, ids);
  }
  return ids;
}

/** Whether a token has no text: special tokens, and ids that a model has beyond its tokenizer's, to round its sizes. */
export function hasNoText(tokenizer: Tokenizer, id: number): boolean {
  return id >= tokenizer.vocabSize || specialIds(tokenizer).has(id);
}
