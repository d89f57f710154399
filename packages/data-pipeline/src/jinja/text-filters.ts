import { textArgument, wholeArgument } from './arguments.js';
import { filter, type Filter, pathGetter } from './filter.js';
import { characters, isTrue, iterate, lengthOf, textLength } from './iteration.js';
import { jsonStyle, jsonText } from './json-text.js';
import { printf } from './printf.js';
import { capitalized, replaced, stringMethod } from './string-methods.js';
import { splitLinesOf, strip } from './strip-text.js';
import { TemplateError } from './template-error.js';
import { textOf } from './text-of.js';
import { Dict, Markup, Tuple, Undefined, type Value } from './values.js';

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };

/** Filters that give text. */
export const TEXT_FILTERS: readonly [string, Filter][] = [
  filter('capitalize', '', (value) => capitalized(textOf(value))),
  filter('center', 'width?', (value, [width = 80]) => stringMethod(textOf(value), 'center')!.call([width], new Map())),
  filter('escape', '', escaped),
  filter('e', '', escaped),
  [
    'format',
    (value, positional, named) => printf(textOf(value), named.size > 0 ? new Dict(named) : new Tuple(positional)),
  ],
  filter('indent', 'width? first? blank?', (value, [width = 4, first, blank]) =>
    indented(value, width, isOn(first), isOn(blank)),
  ),
  filter('join', 'd? attribute?', (value, [separator = '', attribute]) => joined(value, separator, attribute)),
  filter('lower', '', (value) => textOf(value).toLowerCase()),
  filter('replace', 'old new count?', (value, [old, by, count]) =>
    replaced(
      textOf(value),
      textOf(old!),
      textOf(by!),
      wholeArgument(count === null ? undefined : count, -1, 'replace'),
    ),
  ),
  filter('safe', '', (value) => new Markup(textOf(value))),
  filter('string', '', (value) => (value instanceof Markup ? value : textOf(value))),
  filter('title', '', (value) => titleWords(textOf(value))),
  filter(
    'tojson',
    'ensure_ascii? indent? separators? sort_keys?',
    (value, [ascii = false, indent = null, separators = null, sort = false]) =>
      jsonText(value, jsonStyle(ascii, indent, separators, sort)),
  ),
  filter('trim', 'chars?', (value, [chars]) =>
    strip(textOf(value), chars === undefined || chars === null ? undefined : textArgument(chars, 'trim')),
  ),
  filter('truncate', 'length? killwords? end? leeway?', truncated),
  filter('upper', '', (value) => textOf(value).toUpperCase()),
  filter('wordcount', '', (value) => textOf(value).match(/[\p{L}\p{N}_\p{Mn}\p{Mc}]+/gu)?.length ?? 0),
];

const isOn = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

function escaped(value: Value): Value {
  return value instanceof Markup ? value : new Markup(textOf(value).replace(/[&<>'"]/g, (letter) => HTML[letter]));
}

function joined(value: Value, separator: Value, attribute: Value | undefined): string {
  const items = iterate(value);
  const read = attribute === undefined || attribute === null ? items : items.map(pathGetter(attribute));
  return read.map(textOf).join(textOf(separator));
}

function indented(value: Value, width: Value, first: boolean, blank: boolean): string {
  if (value instanceof Undefined) value.fail();
  const indention = typeof width === 'string' ? width : ' '.repeat(Math.max(0, wholeArgument(width, 4, 'indent')));
  const [head = '', ...rest] = splitLinesOf(`${textArgument(value, 'indent')}\n`, false);
  const lines = rest.map((line) => (blank || line !== '' ? indention + line : line));
  return (first ? indention : '') + [head, ...lines].join('\n');
}

/** jinja2's own title case: a word begins after white space, a hyphen or an opening bracket. */
function titleWords(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((word) => {
      const [first = '', ...rest] = characters(word);
      return first.toUpperCase() + rest.join('').toLowerCase();
    })
    .join('');
}

function truncated(value: Value, [length, killwords, end, leeway]: (Value | undefined)[]): Value {
  const limit = wholeArgument(length, 255, 'truncate');
  const ending = end === undefined ? '...' : textOf(end);
  const kept = limit - textLength(ending);
  if (kept < 0) throw new TemplateError(`expected length >= ${textLength(ending)}, got ${limit}`);
  if (lengthOf(value) <= limit + wholeArgument(leeway === null ? undefined : leeway, 5, 'truncate')) return value;
  const text = textArgument(value, 'truncate');
  const start = characters(text).slice(0, kept).join('');
  if (isOn(killwords)) return start + ending;
  const at = start.lastIndexOf(' ');
  return (at < 0 ? start : start.slice(0, at)) + ending;
}
