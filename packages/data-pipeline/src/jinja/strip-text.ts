import { characters } from './iteration.js';

/** White space to Python and not to JavaScript's `\s`; the byte order mark is the other way round. */
const SEPARATORS = '\x1c\x1d\x1e\x1f';
/** What Python's `str.isspace`, `str.strip` and `\s` take for white space, as a class of a pattern. */
export const SPACES = String.raw`[^\S\ufeff]|[${SEPARATORS}\x85]`;
const SPACE = new RegExp(SPACES);
const SPACE_AT_END = new RegExp(`(?:${SPACES})+$`);

/** A text without the white space at its end. */
export const withoutEndSpace = (text: string): string => text.replace(SPACE_AT_END, '');

/** Whether a character is white space to Python. */
export const isSpace = (character: string): boolean => SPACE.test(character);

/** `text.strip(chars)`, or only one side of it; without `chars`, white space. */
export function strip(text: string, chars: string | undefined, sides: 'both' | 'left' | 'right' = 'both'): string {
  const dropped = chars === undefined ? undefined : new Set(characters(chars));
  const isDropped = (character: string): boolean => (dropped ? dropped.has(character) : isSpace(character));
  const letters = characters(text);
  let start = 0;
  let end = letters.length;
  while (sides !== 'right' && start < end && isDropped(letters[start])) start++;
  while (sides !== 'left' && end > start && isDropped(letters[end - 1])) end--;
  return letters.slice(start, end).join('');
}

/** `text.split()` and `text.rsplit()` without a separator: at runs of white space, at most `limit` times. */
export function splitAtSpace(text: string, limit: number, isFromRight: boolean): string[] {
  const words: string[] = [];
  // The piece that a limit leaves whole keeps the white space on its far side.
  let rest = strip(text, undefined, isFromRight ? 'right' : 'left');
  while (strip(rest, undefined) !== '') {
    if (limit >= 0 && words.length >= limit) return isFromRight ? [rest, ...words] : [...words, rest];
    const word = isFromRight ? lastWord(rest) : firstWord(rest);
    if (isFromRight) words.unshift(word);
    else words.push(word);
    const left = isFromRight ? rest.slice(0, rest.length - word.length) : rest.slice(word.length);
    rest = strip(left, undefined, isFromRight ? 'right' : 'left');
  }
  return words;
}

function firstWord(text: string): string {
  let end = 0;
  while (end < text.length && !isSpace(text[end])) end++;
  return text.slice(0, end);
}

function lastWord(text: string): string {
  let start = text.length;
  while (start > 0 && !isSpace(text[start - 1])) start--;
  return text.slice(start);
}

const LINE_END = new RegExp(String.raw`\r\n|[\n\r\v\f\x85\u2028\u2029${SEPARATORS.slice(0, 3)}]`, 'g');

/** `text.splitlines(keepends)`. */
export function splitLinesOf(text: string, keepsEnds: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const match of text.matchAll(LINE_END)) {
    const end = match.index + match[0].length;
    lines.push(text.slice(start, keepsEnds ? end : match.index));
    start = end;
  }
  return start < text.length ? [...lines, text.slice(start)] : lines;
}
