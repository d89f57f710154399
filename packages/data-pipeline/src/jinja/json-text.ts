import { lengthOf } from './iteration.js';
import { TemplateError } from './template-error.js';
import { floatText, textOf } from './text-of.js';
import { Dict, Float, Tuple, typeName, type Value } from './values.js';

/** How `tojson` writes, as transformers defines that filter: the options of Python's `json.dumps`. */
export interface JsonStyle {
  indent: string | undefined;
  item: string;
  key: string;
  isAscii: boolean;
  sortsKeys: boolean;
}

/** `json.dumps(value)`: characters are not escaped for HTML. @throws TemplateError for what has no JSON. */
export function jsonText(value: Value, style: JsonStyle, depth = 0): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoted(value, style.isAscii);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Float) return floatJson(value.value);
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items;
    return bracketed(
      '[]',
      items.map((item) => jsonText(item, style, depth + 1)),
      style,
      depth,
    );
  }
  if (!(value instanceof Dict)) throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
  const entries = value.entries().map(([key, entry]): [string, Value] => [keyText(key), entry]);
  if (style.sortsKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const parts = entries.map(
    ([key, entry]) => `${quoted(key, style.isAscii)}${style.key}${jsonText(entry, style, depth + 1)}`,
  );
  return bracketed('{}', parts, style, depth);
}

function bracketed([open, close]: string, parts: string[], { indent, item }: JsonStyle, depth: number): string {
  if (parts.length === 0) return open + close;
  if (indent === undefined) return open + parts.join(item) + close;
  const line = `\n${indent.repeat(depth + 1)}`;
  return `${open}${line}${parts.join(item + line)}\n${indent.repeat(depth)}${close}`;
}

function floatJson(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity';
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'null';
  if (typeof key === 'boolean' || typeof key === 'number') return String(key);
  if (key instanceof Float) return floatJson(key.value);
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

const SHORT: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};

function quoted(text: string, isAscii: boolean): string {
  const escaped = text.replace(/["\\]|[^\P{Cc}\x7f-\x9f]/gu, (letter) => SHORT[letter] ?? unicode(letter));
  return `"${isAscii ? escaped.replace(/[^\0-\x7e]/g, unicode) : escaped}"`;
}

function unicode(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The style that the filter's arguments ask for. */
export function jsonStyle(ensureAscii: Value, indent: Value, separators: Value, sortKeys: Value): JsonStyle {
  const given = Array.isArray(separators) ? separators : separators instanceof Tuple ? separators.items : undefined;
  if (given && lengthOf(given) !== 2) throw new TemplateError('separators: expected two texts');
  const step =
    typeof indent === 'number' ? ' '.repeat(Math.max(0, indent)) : typeof indent === 'string' ? indent : undefined;
  return {
    indent: step,
    item: given ? textOf(given[0]) : step === undefined ? ', ' : ',',
    key: given ? textOf(given[1]) : ': ',
    isAscii: ensureAscii === true,
    sortsKeys: sortKeys === true,
  };
}
