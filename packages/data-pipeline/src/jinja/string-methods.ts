import { bind, type Bound, textArgument, wholeArgument } from './arguments.js';
import { formatMethod } from './format-method.js';
import { characters, iterate, textLength } from './iteration.js';
import { isSpace, splitAtSpace, splitLinesOf, strip } from './strip-text.js';
import { isLowerText, isTitleText, isUpperText, swapped, titled } from './letter-case.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { Callable, Tuple, typeName, type Value } from './values.js';

type Method = [signature: string, run: (text: string, bound: Bound) => Value];

const optionalText = (value: Value | undefined, where: string): string | undefined =>
  value === undefined || value === null ? undefined : textArgument(value, where);

/** Text methods of Python, each with its signature. */
const METHODS: Record<string, Method> = {
  capitalize: ['', (text) => capitalized(text)],
  center: ['width fillchar?', (text, [width, fill]) => justified(text, width, fill, 'center')],
  count: [
    'sub start? end?',
    (text, bound) =>
      window(text, bound, (part, sub) => (sub === '' ? textLength(part) + 1 : part.split(sub).length - 1)),
  ],
  endswith: ['suffix start? end?', (text, bound) => affixed(text, bound, (part, affix) => part.endsWith(affix))],
  expandtabs: ['tabsize?', (text, [size]) => tabsExpanded(text, wholeArgument(size, 8, 'expandtabs'))],
  find: ['sub start? end?', (text, bound) => position(text, bound, 'indexOf')],
  index: ['sub start? end?', (text, bound) => found(position(text, bound, 'indexOf'))],
  isalnum: ['', (text) => /^[\p{L}\p{N}]+$/u.test(text)],
  isalpha: ['', (text) => /^\p{L}+$/u.test(text)],
  isascii: ['', (text) => /^[\0-\x7f]*$/.test(text)],
  isdecimal: ['', (text) => /^\p{Nd}+$/u.test(text)],
  isdigit: ['', (text) => digits(text, 'isdigit')],
  isnumeric: ['', (text) => digits(text, 'isnumeric')],
  islower: ['', (text) => isLowerText(text)],
  isspace: ['', (text) => text !== '' && characters(text).every(isSpace)],
  istitle: ['', (text) => isTitleText(text)],
  isupper: ['', (text) => isUpperText(text)],
  join: [
    'iterable',
    (text, [items]) =>
      iterate(items!)
        .map((item, i) => joinable(item, i))
        .join(text),
  ],
  ljust: ['width fillchar?', (text, [width, fill]) => justified(text, width, fill, 'left')],
  lower: ['', (text) => text.toLowerCase()],
  lstrip: ['chars?', (text, [chars]) => strip(text, optionalText(chars, 'lstrip'), 'left')],
  partition: ['sep', (text, [sep]) => parted(text, textArgument(sep, 'partition'), 'indexOf')],
  removeprefix: ['prefix', (text, [affix]) => without(text, textArgument(affix, 'removeprefix'), 'prefix')],
  removesuffix: ['suffix', (text, [affix]) => without(text, textArgument(affix, 'removesuffix'), 'suffix')],
  replace: [
    'old new count?',
    (text, [old, by, count]) =>
      replaced(text, textArgument(old, 'replace'), textArgument(by, 'replace'), wholeArgument(count, -1, 'replace')),
  ],
  rfind: ['sub start? end?', (text, bound) => position(text, bound, 'lastIndexOf')],
  rindex: ['sub start? end?', (text, bound) => found(position(text, bound, 'lastIndexOf'))],
  rjust: ['width fillchar?', (text, [width, fill]) => justified(text, width, fill, 'right')],
  rpartition: ['sep', (text, [sep]) => parted(text, textArgument(sep, 'rpartition'), 'lastIndexOf')],
  rsplit: ['sep? maxsplit?', (text, [sep, limit]) => split(text, sep, wholeArgument(limit, -1, 'rsplit'), true)],
  rstrip: ['chars?', (text, [chars]) => strip(text, optionalText(chars, 'rstrip'), 'right')],
  split: ['sep? maxsplit?', (text, [sep, limit]) => split(text, sep, wholeArgument(limit, -1, 'split'), false)],
  splitlines: [
    'keepends?',
    (text, [keeps]) => splitLinesOf(text, keeps !== undefined && keeps !== false && keeps !== 0),
  ],
  startswith: ['prefix start? end?', (text, bound) => affixed(text, bound, (part, affix) => part.startsWith(affix))],
  strip: ['chars?', (text, [chars]) => strip(text, optionalText(chars, 'strip'))],
  swapcase: ['', (text) => swapped(text)],
  title: ['', (text) => titled(text)],
  upper: ['', (text) => text.toUpperCase()],
  zfill: ['width', (text, [width]) => zeroFilled(text, wholeArgument(width, 0, 'zfill'))],
};

/** Methods whose arguments may be named. */
const TAKES_NAMED = ['expandtabs', 'rsplit', 'split', 'splitlines'];

/** Methods that Python has and this engine refuses. */
const UNSUPPORTED = ['casefold', 'encode', 'format_map', 'isidentifier', 'isprintable', 'maketrans', 'translate'];

/** A bound method of a text; undefined for no such name. */
export function stringMethod(text: string, name: string): Callable | undefined {
  if (name === 'format') return new Callable(name, (positional, named) => formatMethod(text, positional, named));
  if (UNSUPPORTED.includes(name)) throw new UnsupportedTemplateError(`str.${name}`);
  if (!Object.hasOwn(METHODS, name)) return undefined;
  const [signature, run] = METHODS[name];
  return new Callable(name, (positional, named) => {
    if (named.size > 0 && !TAKES_NAMED.includes(name))
      throw new TemplateError(`str.${name}() takes no keyword arguments`);
    return run(text, bind(name, signature, positional, named));
  });
}

/** `text.capitalize()`. */
export function capitalized(text: string): string {
  const [first = '', ...rest] = characters(text);
  return titled(first) + rest.join('').toLowerCase();
}

/** `text.replace(old, new, count)`; a negative count is no limit. */
export function replaced(text: string, old: string, by: string, count: number): string {
  if (count < 0) return old === '' ? ['', ...characters(text), ''].join(by) : text.split(old).join(by);
  if (old === '') {
    const letters = characters(text);
    return letters.map((letter, i) => (i < count ? by + letter : letter)).join('') + (letters.length < count ? by : '');
  }
  const parts = text.split(old);
  return parts.map((part, i) => part + (i === parts.length - 1 ? '' : i < count ? by : old)).join('');
}

function joinable(item: Value, index: number): string {
  if (typeof item === 'string') return item;
  throw new TemplateError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
}

function split(text: string, separator: Value | undefined, limit: number, isFromRight: boolean): Value[] {
  if (separator === undefined || separator === null) return splitAtSpace(text, limit, isFromRight);
  const by = textArgument(separator, 'split');
  if (by === '') throw new TemplateError('empty separator');
  const parts = text.split(by);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  if (!isFromRight) return [...parts.slice(0, limit), parts.slice(limit).join(by)];
  const kept = parts.length - limit;
  return [parts.slice(0, kept).join(by), ...parts.slice(kept)];
}

function parted(text: string, separator: string, how: 'indexOf' | 'lastIndexOf'): Tuple {
  if (separator === '') throw new TemplateError('empty separator');
  const at = text[how](separator);
  if (at < 0) return new Tuple(how === 'indexOf' ? [text, '', ''] : ['', '', text]);
  return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

function without(text: string, affix: string, side: 'prefix' | 'suffix'): string {
  if (affix === '') return text;
  if (side === 'prefix') return text.startsWith(affix) ? text.slice(affix.length) : text;
  return text.endsWith(affix) ? text.slice(0, -affix.length) : text;
}

/** The part of a text between `start` and `end`, which count code points and may be negative. */
function between(text: string, [, start, end]: Bound): { part: string; offset: number } {
  if (start === undefined && end === undefined) return { part: text, offset: 0 };
  const letters = characters(text);
  const clamp = (value: Value | undefined, fallback: number): number => {
    const at = value === null ? fallback : wholeArgument(value, fallback, 'str method');
    return Math.min(letters.length, Math.max(0, at < 0 ? at + letters.length : at));
  };
  const from = clamp(start, 0);
  return { part: letters.slice(from, clamp(end, letters.length)).join(''), offset: from };
}

function window(text: string, bound: Bound, run: (part: string, sub: string) => number): number {
  return run(between(text, bound).part, textArgument(bound[0], 'str method'));
}

function affixed(text: string, bound: Bound, test: (part: string, affix: string) => boolean): boolean {
  const affixes = bound[0] instanceof Tuple ? bound[0].items : [bound[0]];
  const { part } = between(text, bound);
  return affixes.some((affix) => test(part, textArgument(affix, 'startswith or endswith')));
}

function position(text: string, bound: Bound, how: 'indexOf' | 'lastIndexOf'): number {
  const { part, offset } = between(text, bound);
  const at = part[how](textArgument(bound[0], 'find'));
  return at < 0 ? -1 : offset + textLength(part.slice(0, at));
}

function found(at: number): number {
  if (at < 0) throw new TemplateError('substring not found');
  return at;
}

function digits(text: string, name: string): boolean {
  if (/[^\0-\x7f]/.test(text) && /[\p{No}\p{Nl}\p{Lo}]/u.test(text))
    throw new UnsupportedTemplateError(`str.${name} of "${text.slice(0, 20)}"`);
  return /^\p{Nd}+$/u.test(text);
}

function justified(
  text: string,
  width: Value | undefined,
  fill: Value | undefined,
  side: 'left' | 'right' | 'center',
): string {
  const pad = fill === undefined ? ' ' : textArgument(fill, 'justify');
  if (textLength(pad) !== 1) throw new TemplateError('The fill character must be exactly one character long');
  const wanted = wholeArgument(width, 0, 'justify');
  const missing = Math.max(0, wanted - textLength(text));
  const left = side === 'left' ? 0 : side === 'right' ? missing : Math.floor(missing / 2) + (missing & wanted & 1);
  return pad.repeat(left) + text + pad.repeat(missing - left);
}

function zeroFilled(text: string, width: number): string {
  const [, sign, rest] = /^([+-]?)([^]*)$/.exec(text)!;
  return sign + '0'.repeat(Math.max(0, width - textLength(text))) + rest;
}

function tabsExpanded(text: string, size: number): string {
  let column = 0;
  return characters(text)
    .map((letter) => {
      const width = letter === '\t' ? (size > 0 ? size - (column % size) : 0) : 1;
      column = letter === '\n' || letter === '\r' ? 0 : column + width;
      return letter === '\t' ? ' '.repeat(width) : letter;
    })
    .join('');
}
