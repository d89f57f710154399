import type { EvalItem } from './eval-item.js';

/** What went otherwise than it should while texts were generated. */
export function textCounts(items: EvalItem[]): Record<string, number> {
  return {
    'prompts cut to the context': items.filter(({ cut }) => cut !== undefined).length,
    'texts cut at the limit of new tokens': items.reduce((sum, { numUnfinished = 0 }) => sum + numUnfinished, 0),
  };
}
