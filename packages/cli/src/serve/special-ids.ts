import type { Tokenizer } from '@lethe/data-pipeline';

const known = new WeakMap<Tokenizer, ReadonlySet<number>>();

/** Ids of a tokenizer's special tokens: they have a name and no text. */
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
