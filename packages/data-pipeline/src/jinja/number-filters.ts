import { wholeArgument } from './arguments.js';
import { calculate } from './arithmetic.js';
import { filter, type Filter, pathGetter } from './filter.js';
import { fixed } from './format-number.js';
import { iterate } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { strip } from './strip-text.js';
import { Float, integer, Markup, numberOf, typeName, Undefined, type Value } from './values.js';

/** Filters that give numbers. */
export const NUMBER_FILTERS: readonly [string, Filter][] = [
  filter('abs', '', absolute),
  filter('float', 'default?', (value, [fallback = new Float(0)]) => toFloat(value) ?? fallback),
  filter(
    'int',
    'default? base?',
    (value, [fallback = 0, base]) => toInt(value, wholeArgument(base, 10, 'int')) ?? fallback,
  ),
  filter('round', 'precision? method?', (value, [precision, method = 'common']) =>
    rounded(value, wholeArgument(precision, 0, 'round'), method),
  ),
  filter('sum', 'attribute? start?', (value, [attribute, start = 0]) => {
    const get = attribute === undefined || attribute === null ? (item: Value) => item : pathGetter(attribute);
    return iterate(value).reduce((total, item) => calculate('+', total, get(item)), start);
  }),
];

function absolute(value: Value): Value {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
  return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
}

const FLOAT = /^[+-]?(\d+(_\d+)*(\.(\d+(_\d+)*)?)?|\.\d+(_\d+)*)([eE][+-]?\d+(_\d+)*)?$/;

function toFloat(value: Value): Float | undefined {
  if (value instanceof Markup) throw new UnsupportedTemplateError('a number of text marked safe');
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number !== undefined) return new Float(number);
  if (typeof value !== 'string') return undefined;
  const text = strip(value, undefined);
  if (FLOAT.test(text)) return new Float(Number(text.replaceAll('_', '')));
  if (/^[+-]?(inf(inity)?|nan)$/i.test(text)) {
    return new Float(/nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity);
  }
  if (/[^\0-\x7f]/.test(text)) throw new UnsupportedTemplateError(`the number "${text.slice(0, 20)}"`);
  return undefined;
}

function toInt(value: Value, base: number): number | undefined {
  if (typeof value === 'string') {
    const whole = wholeNumber(strip(value, undefined), base);
    if (whole !== undefined) return whole;
  }
  const number = toFloat(value)?.value;
  return number === undefined || !Number.isFinite(number) ? undefined : integer(Math.trunc(number));
}

function wholeNumber(text: string, base: number): number | undefined {
  const prefixed = { 2: /^([+-]?)0[bB]_?/, 8: /^([+-]?)0[oO]_?/, 16: /^([+-]?)0[xX]_?/ }[base];
  if (base !== 10 && !prefixed) throw new UnsupportedTemplateError(`int of base ${base}`);
  const digits = prefixed ? text.replace(prefixed, '$1') : text;
  const allowed = {
    2: /^[+-]?[01]+(_[01]+)*$/,
    8: /^[+-]?[0-7]+(_[0-7]+)*$/,
    10: /^[+-]?\d+(_\d+)*$/,
    16: /^[+-]?[\da-f]+(_[\da-f]+)*$/i,
  }[base]!;
  return allowed.test(digits) ? integer(Number.parseInt(digits.replaceAll('_', ''), base) + 0) : undefined;
}

function rounded(value: Value, precision: number, method: Value): Value {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
  if (method === 'common') {
    if (!(value instanceof Float) && precision >= 0) return number;
    if (precision < 0) throw new UnsupportedTemplateError('round to a negative precision');
    return new Float(Number.isFinite(number) ? Math.sign(number) * Number(fixed(Math.abs(number), precision)) : number);
  }
  if (method !== 'ceil' && method !== 'floor') throw new TemplateError('method must be common, ceil or floor');
  if (precision < 0) throw new UnsupportedTemplateError('round to a negative precision');
  return new Float(Math[method](number * 10 ** precision) / 10 ** precision);
}
