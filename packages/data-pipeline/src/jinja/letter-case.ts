import { characters } from './iteration.js';

const CASED = /[\p{Lu}\p{Ll}\p{Lt}]/u;
/** Letters whose title case is not their upper case: digraphs of one code point. */
const DIGRAPHS: Record<string, string> = { ǆ: 'ǅ', Ǆ: 'ǅ', ǉ: 'ǈ', Ǉ: 'ǈ', ǌ: 'ǋ', Ǌ: 'ǋ', ǳ: 'ǲ', Ǳ: 'ǲ' };

/** `text.islower()`: some letter with case, and none of them upper. */
export const isLowerText = (text: string): boolean => /[\p{Ll}]/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text);

/** `text.isupper()`. */
export const isUpperText = (text: string): boolean => /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text);

/** `text.istitle()`: each run of letters with case begins with an upper one and goes on with lower ones. */
export function isTitleText(text: string): boolean {
  let isInside = false;
  let hasAny = false;
  for (const letter of characters(text)) {
    const isUpper = /[\p{Lu}\p{Lt}]/u.test(letter);
    if (isUpper === isInside && CASED.test(letter)) return false;
    isInside = CASED.test(letter);
    hasAny ||= isInside;
  }
  return hasAny;
}

/** `text.title()`. */
export function titled(text: string): string {
  let isInside = false;
  return characters(text)
    .map((letter) => {
      const written = isInside ? letter.toLowerCase() : titleLetter(letter);
      isInside = CASED.test(letter);
      return written;
    })
    .join('');
}

function titleLetter(letter: string): string {
  if (DIGRAPHS[letter] !== undefined) return DIGRAPHS[letter];
  const [first = '', ...rest] = characters(letter.toUpperCase());
  return first + rest.join('').toLowerCase();
}

/** `text.swapcase()`. */
export function swapped(text: string): string {
  return characters(text)
    .map((letter) => (/\p{Lu}/u.test(letter) ? letter.toLowerCase() : letter.toUpperCase()))
    .join('');
}
