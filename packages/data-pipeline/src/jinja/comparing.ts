import { iterate } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import {
  Callable,
  Dict,
  Lazy,
  Markup,
  Namespace,
  numberOf,
  Opaque,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.js';

/** `a == b`. */
export function equal(a: Value, b: Value): boolean {
  const left = numberOf(a);
  if (left !== undefined) return left === numberOf(b);
  if (a instanceof Markup || b instanceof Markup) throw new UnsupportedTemplateError('comparing text marked safe');
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b);
  if (a instanceof Tuple) return b instanceof Tuple && equalLists(a.items, b.items);
  if (a instanceof Range) return b instanceof Range && equalLists(a.items(), b.items());
  if (a instanceof Undefined) return b instanceof Undefined;
  if (!(a instanceof Dict)) return a === b;
  if (!(b instanceof Dict) || a.size !== b.size) return false;
  return a.entries().every(([key, value]) => b.has(key) && equal(value, b.get(key)!));
}

function equalLists(a: Value[], b: Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]));
}

/** Whether `a` comes before `b`, and whether they are equal: -1, 0, 1, or NaN. @throws TemplateError as Python. */
export function order(a: Value, b: Value, operator: string): number {
  if (a instanceof Undefined) a.fail();
  if (b instanceof Undefined) b.fail();
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : left === right ? 0 : NaN;
  if (typeof a === 'string' && typeof b === 'string') return orderTexts(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return orderLists(a, b, operator);
  if (a instanceof Tuple && b instanceof Tuple) return orderLists(a.items, b.items, operator);
  throw new TemplateError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** By code points, which for surrogates is not the order of JavaScript. */
function orderTexts(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && i < b.length && a.codePointAt(i) === b.codePointAt(i)) i++;
  return (a.codePointAt(i) ?? -1) < (b.codePointAt(i) ?? -1) ? -1 : 1;
}

function orderLists(a: Value[], b: Value[], operator: string): number {
  const at = a.findIndex((item, i) => i >= b.length || !equal(item, b[i]));
  if (at < 0) return a.length < b.length ? -1 : 0;
  return at >= b.length ? 1 : order(a[at], b[at], operator);
}

/** `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof Lazy || !isOpaque(container)) return iterate(container).some((entry) => equal(entry, item));
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
}

const isOpaque = (value: Value): boolean =>
  value === null ||
  numberOf(value) !== undefined ||
  [Namespace, Callable, Opaque].some((kind) => value instanceof kind);
