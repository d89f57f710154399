import { z } from 'zod';
import { type DocumentFilter, filterKind, type Objection } from './filter.js';
import { wordsOf } from './words.js';

const count = z.int().nonnegative().optional();

const settings = z.strictObject({
  minWords: count.describe('words, at least; of scripts without spaces characters'),
  maxWords: count.describe('words, at most'),
  minCharacters: count.describe('characters, at least'),
  maxCharacters: count.describe('characters, at most'),
});

/** How long documents may be; characters of scripts without spaces count as words. */
export type LengthOptions = z.output<typeof settings>;

/** Drops documents that are too short or too long. */
export function lengthFilter(options: LengthOptions): DocumentFilter {
  const { minWords, maxWords, minCharacters, maxCharacters } = options;
  const needsWords = minWords !== undefined || maxWords !== undefined;
  return {
    name: 'length',
    check(text) {
      const numWords = needsWords ? wordsOf(text).length : 0;
      return (
        outside(text.length, minCharacters, maxCharacters, 'characters') ??
        outside(numWords, minWords, maxWords, 'words')
      );
    },
  };
}

function outside(value: number, least = 0, most = Infinity, unit: string): Objection | undefined {
  if (value < least) return { reason: `fewer than ${least} ${unit}`, detail: `${value}` };
  if (value > most) return { reason: `more than ${most} ${unit}`, detail: `${value}` };
  return undefined;
}

/** Drops what is too short or too long. */
export const length = filterKind({
  name: 'length',
  settings,
  hasDefaults: false,
  description: 'how long documents may be',
  open: lengthFilter,
});
