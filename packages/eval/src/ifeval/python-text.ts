/**
 * Text as Python sees it, in which the original checkers are defined: its `\s` and `\w` are not JavaScript's. Insides of
 * character classes, for patterns with the flag `u`.
 */
export const SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
export const WORD = String.raw`\p{L}\p{N}_`;

const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'gu');
const SPACES = new RegExp(`[${SPACE}]+`, 'u');

/** `str.strip()`: the text without white space at its ends. */
export const strip = (text: string): string => text.replace(ENDS, '');

/** `str.split()`: what stands between white space. */
export const splitAtSpace = (text: string): string[] => text.split(SPACES).filter((part) => part !== '');

/** `str.isupper()`: cased characters, and none of them lower or title case. */
export const isUpper = (text: string): boolean => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);

/** `str.islower()`: cased characters, and none of them upper or title case. */
export const isLower = (text: string): boolean => /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);

/** A pattern source that matches the text itself. */
export const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
