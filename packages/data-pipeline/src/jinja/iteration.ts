import { TemplateError } from './template-error.js';
import { Dict, Lazy, Markup, Range, Tuple, typeName, Undefined, type Value } from './values.js';

const SURROGATE = /[\ud800-\udfff]/;

/** The characters of a text as Python counts them: code points. */
export function characters(text: string): string[] {
  return SURROGATE.test(text) ? Array.from(text) : text.split('');
}

/** `len(text)`. */
export function textLength(text: string): number {
  return SURROGATE.test(text) ? Array.from(text).length : text.length;
}

/** The elements of a value, as `for` meets them, or undefined where Python cannot iterate. */
export function elements(value: Value): Value[] | undefined {
  if (typeof value === 'string') return characters(value);
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Dict) return value.keys();
  if (value instanceof Range) return value.items();
  if (value instanceof Lazy) return value.take();
  if (value instanceof Markup) return characters(value.text);
  return value instanceof Undefined ? [] : undefined;
}

/** @throws TemplateError for a value without elements. */
export function iterate(value: Value): Value[] {
  return elements(value) ?? fail(`'${typeName(value)}' object is not iterable`);
}

/** `len(value)`. @throws TemplateError for a value without a length. */
export function lengthOf(value: Value): number {
  return sizeOf(value) ?? fail(`object of type '${typeName(value)}' has no len()`);
}

/** `len(value)`, or undefined for a value without one. */
export function sizeOf(value: Value): number | undefined {
  if (value instanceof Lazy && value.view === undefined) return undefined;
  if (value instanceof Dict) return value.size;
  return typeof value === 'string' ? textLength(value) : elements(value)?.length;
}

/** `bool(value)`. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'object' && 'value' in value) return value.value !== 0; // Float: NaN is true
  if (typeof value !== 'object') return Boolean(value);
  return sizeOf(value) !== 0;
}

function fail(problem: string): never {
  throw new TemplateError(problem);
}
