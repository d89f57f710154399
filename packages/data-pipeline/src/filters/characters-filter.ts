import { z } from 'zod';
import { type DocumentFilter, filterKind, percent, share } from './filter.js';

const settings = z.strictObject({
  minLetters: share.describe('letters and marks of any script, at least (default 0.5)'),
  maxDigits: share.describe('digits, at most (default 0.3)'),
  maxSymbols: share.describe('neither letters, digits nor white space, at most (default 0.35)'),
  maxControl: share.describe('control characters and U+FFFD, at most (default 0.01)'),
});

/** Shares of the characters that are not white space. */
export type CharactersOptions = z.output<typeof settings>;

const UNKNOWN = 0;
const LETTER = 1;
const DIGIT = 2;
const SPACE = 3;
const CONTROL = 4;
const SYMBOL = 5;
const classes = new Uint8Array(2 ** 16);

/** Drops documents by the classes of their characters. */
export function charactersFilter(options: CharactersOptions): DocumentFilter {
  const { minLetters = 0.5, maxDigits = 0.3, maxSymbols = 0.35, maxControl = 0.01 } = options;
  return {
    name: 'characters',
    check(text) {
      const counts = new Uint32Array(6);
      for (let i = 0; i < text.length; i++) counts[classOf(text.charCodeAt(i))]!++;
      const total = Math.max(1, text.length - counts[SPACE]!);
      const share = (kind: number) => counts[kind]! / total;
      const over = (kind: number, most: number, what: string) =>
        share(kind) > most ? { reason: `more than ${percent(most)} ${what}`, detail: percent(share(kind)) } : undefined;
      if (share(LETTER) < minLetters) {
        return { reason: `fewer than ${percent(minLetters)} letters`, detail: percent(share(LETTER)) };
      }
      return (
        over(DIGIT, maxDigits, 'digits') ??
        over(SYMBOL, maxSymbols, 'symbols') ??
        over(CONTROL, maxControl, 'control characters')
      );
    },
  };
}

/** The class of a UTF-16 code unit; halves of surrogate pairs (emoji, rare scripts) are symbols. */
function classOf(unit: number): number {
  if (classes[unit] !== UNKNOWN) return classes[unit]!;
  const character = String.fromCharCode(unit);
  let kind: number = SYMBOL;
  if (/\s/.test(character)) kind = SPACE;
  else if (/[\p{L}\p{M}]/u.test(character)) kind = LETTER;
  else if (/\p{N}/u.test(character)) kind = DIGIT;
  else if (unit === 0xfffd || /\p{Cc}/u.test(character)) kind = CONTROL;
  return (classes[unit] = kind);
}

/** Drops what is not mostly letters. */
export const characters = filterKind({
  name: 'characters',
  settings,
  hasDefaults: true,
  description: 'classes of characters, as shares of those that are not white space',
  open: charactersFilter,
});
