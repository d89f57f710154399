import { formatNumber } from './format-number.js';
import { textLength } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { representation, textOf } from './text-of.js';
import { Float, Markup, numberOf, type Named, typeName, Undefined, type Value } from './values.js';

const FIELD = /\{\{|\}\}|\{([^{}!:]*)(?:!([^{}:]*))?(?::([^{}]*))?\}|[{}]/g;
const SPEC = /^(?:([^])?([<>=^]))?([+\- ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u;

/** `format.format(...)`. @throws TemplateError as Python; attributes and nested fields are not supported. */
export function formatMethod(format: string, positional: Value[], named: Named): string {
  let next = 0;
  return format.replace(FIELD, (whole, name: string | undefined, conversion?: string, spec = '') => {
    if (whole === '{{') return '{';
    if (whole === '}}') return '}';
    if (name === undefined) throw new UnsupportedTemplateError(`the format "${format}"`);
    if (/[.[\]]/.test(name)) throw new UnsupportedTemplateError(`the format field "{${name}}"`);
    const key = name === '' ? String(next++) : name;
    const value = /^\d+$/.test(key) ? positional[Number(key)] : named.get(key);
    if (value === undefined) throw new TemplateError(`format: nothing is given for the field "${key}"`);
    if (conversion !== undefined && conversion !== 's' && conversion !== 'r') {
      throw new UnsupportedTemplateError(`the conversion "!${conversion}"`);
    }
    if (conversion === undefined) return formatValue(value, spec);
    return formatValue(conversion === 's' ? textOf(value) : representation(value), spec);
  });
}

/** `format(value, spec)`. */
function formatValue(value: Value, spec: string): string {
  if (value instanceof Markup) throw new UnsupportedTemplateError('format of text marked safe');
  if (spec === '') return textOf(value);
  const match = SPEC.exec(spec);
  if (!match) throw new TemplateError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  const [, fill, align, sign = '-', negativeZero, alternate, zero, width = '0', grouping, precision, style] = match;
  if (negativeZero) throw new UnsupportedTemplateError('the format option "z"');
  const limit = precision === undefined ? undefined : Number(precision);
  const isText = typeof value === 'string';
  if (!isText && numberOf(value) === undefined) {
    throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`);
  }
  const [prefix, body] = isText
    ? ['', textField(value, { limit, style, isNumeric: Boolean(grouping || alternate || match[3] || align === '=') })]
    : numberField(value, { sign, style, limit, isAlternate: alternate !== undefined, grouping });
  const pad = fill ?? (zero === undefined ? ' ' : '0');
  const where = align ?? (zero !== undefined && !isText ? '=' : isText ? '<' : '>');
  if (where === '=' && grouping) throw new UnsupportedTemplateError('zeros before grouped digits');
  return aligned({ prefix, body, pad, where, width: Number(width) });
}

function textField(
  value: string,
  how: { limit: number | undefined; style: string | undefined; isNumeric: boolean },
): string {
  if ((how.style ?? 's') !== 's' || how.isNumeric) {
    throw new TemplateError(`Unknown format code '${how.style}' for object of type 'str'`);
  }
  return how.limit === undefined ? value : Array.from(value).slice(0, how.limit).join('');
}

interface NumberStyle {
  sign: string;
  style: string | undefined;
  limit: number | undefined;
  isAlternate: boolean;
  grouping: string | undefined;
}

function numberField(value: Value, { sign, style, limit, isAlternate, grouping }: NumberStyle): [string, string] {
  const number = numberOf(value)!;
  if (value instanceof Undefined || (typeof value === 'boolean' && style === undefined)) {
    throw new UnsupportedTemplateError(`a format of ${typeName(value)}`);
  }
  const prefix = number < 0 || Object.is(number, -0) ? '-' : sign === '-' ? '' : sign;
  const isFloat = value instanceof Float;
  if (isFloat && style === undefined && limit !== undefined)
    throw new UnsupportedTemplateError('a precision without a style');
  if (isFloat && style !== undefined && 'dxXobc'.includes(style)) {
    throw new TemplateError(`Unknown format code '${style}' for object of type 'float'`);
  }
  let text: string;
  if (style === '%') text = `${formatNumber(number * 100, 'f', limit)}%`;
  else if (style === undefined && isFloat) text = textOf(new Float(Math.abs(number)));
  else {
    if (!isFloat && limit !== undefined && 'dxXob'.includes(style ?? 'd'))
      throw new TemplateError('Precision not allowed in integer format specifier');
    text = formatNumber(number, style ?? 'd', limit, isAlternate);
  }
  if (grouping === undefined) return [prefix, text];
  if ('xXob'.includes(style ?? 'd')) throw new UnsupportedTemplateError(`grouped digits of "${style}"`);
  return [prefix, text.replace(/^\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, grouping))];
}

function aligned(part: { prefix: string; body: string; pad: string; where: string; width: number }): string {
  const { prefix, body, pad, where } = part;
  const missing = Math.max(0, part.width - textLength(prefix + body));
  if (where === '=') return prefix + pad.repeat(missing) + body;
  const left = where === '>' ? missing : where === '^' ? Math.floor(missing / 2) : 0;
  return pad.repeat(left) + prefix + body + pad.repeat(missing - left);
}
