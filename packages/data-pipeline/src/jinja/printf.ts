import { formatNumber } from './format-number.js';
import { textLength } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { representation, textOf } from './text-of.js';
import { Dict, Float, numberOf, Tuple, typeName, type Value } from './values.js';

const DIRECTIVE = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([^])/g;

/** `format % value`, Python's printf. @throws TemplateError for too few or too many values, or a wrong type. */
export function printf(format: string, value: Value): string {
  const list = value instanceof Tuple ? value.items : [value];
  let used = 0;
  let isByName = false;
  if (/%(\([^)]*\))?[#0\- +]*\d*(\.\d*)?$/.test(format.replaceAll('%%', '')))
    throw new TemplateError('incomplete format');
  const text = format.replace(DIRECTIVE, (_, name: string | undefined, flags: string, width = '', precision, style) => {
    if (style === '%') return '%';
    if (width === '*' || precision === '*') throw new UnsupportedTemplateError('"*" as a width');
    if (name === undefined && used >= list.length) throw new TemplateError('not enough arguments for format string');
    if (name !== undefined) isByName = true;
    const argument = name === undefined ? list[used++] : byName(value, name);
    return padded(flags, Number(width), converted(argument, { style, flags, precision }));
  });
  const isMapping = value instanceof Dict || Array.isArray(value);
  if (!isByName && !isMapping && used < list.length)
    throw new TemplateError('not all arguments converted during string formatting');
  return text;
}

function byName(value: Value, name: string): Value {
  if (!(value instanceof Dict)) throw new TemplateError('format requires a mapping');
  const found = value.get(name);
  if (found === undefined) throw new TemplateError(`KeyError: '${name}'`);
  return found;
}

interface Directive {
  style: string;
  flags: string;
  precision: string | undefined;
}

/** Sign and digits of a number, or text. */
function converted(value: Value, { style, flags, precision }: Directive): [sign: string, text: string] {
  const limit = precision === undefined ? undefined : Number(precision);
  if (style === 's' || style === 'r' || style === 'a') {
    const text = style === 's' ? textOf(value) : representation(value);
    if (style === 'a' && /[^ -~]/.test(text)) throw new UnsupportedTemplateError('%a of other than ASCII text');
    return ['', limit === undefined ? text : Array.from(text).slice(0, limit).join('')];
  }
  if (style === 'c') return ['', characterOf(value)];
  const number = numberOf(value);
  const isWhole = 'diuxXo'.includes(style);
  if (!isWhole && !'feEgGF'.includes(style)) throw new TemplateError(`unsupported format character '${style}'`);
  if (number === undefined || ('xXo'.includes(style) && value instanceof Float)) {
    throw new TemplateError(`%${style} format: a number is required, not ${typeName(value)}`);
  }
  const sign = number < 0 || Object.is(number, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const plain = 'diu'.includes(style) ? 'd' : style;
  if (isWhole && limit !== undefined) throw new UnsupportedTemplateError(`a precision of %${style}`);
  return [sign, formatNumber(isWhole ? Math.trunc(number) : number, plain, limit, flags.includes('#'))];
}

function characterOf(value: Value): string {
  if (typeof value === 'number') return String.fromCodePoint(value);
  if (typeof value === 'string' && textLength(value) === 1) return value;
  throw new TemplateError('%c requires int or char');
}

function padded(flags: string, width: number, [sign, text]: [string, string]): string {
  const missing = width - textLength(sign + text);
  if (missing <= 0) return sign + text;
  if (flags.includes('-')) return sign + text + ' '.repeat(missing);
  const isDigits = flags.includes('0') && /^\d/.test(text);
  return isDigits ? sign + '0'.repeat(missing) + text : ' '.repeat(missing) + sign + text;
}
