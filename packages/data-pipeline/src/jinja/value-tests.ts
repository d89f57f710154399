import { calculate } from './arithmetic.js';
import { contains, equal, order } from './comparing.js';
import { elements, sizeOf } from './iteration.js';
import { isLowerText, isUpperText } from './letter-case.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { textOf } from './text-of.js';
import {
  Callable,
  Dict,
  Float,
  Lazy,
  Markup,
  Namespace,
  numberOf,
  Opaque,
  Range,
  Tuple,
  Undefined,
  type Value,
} from './values.js';

/** A test of `value is name(argument)`. */
export type ValueTest = (value: Value, argument: Value) => boolean;

const isNumber = (value: Value): boolean => numberOf(value) !== undefined;
const remainder = (value: Value, by: Value): number => numberOf(calculate('%', value, by)) ?? NaN;
const compare =
  (operator: string, isTrue: (compared: number) => boolean): ValueTest =>
  (value, other) =>
    isTrue(order(value, other, operator));
const isEqual: ValueTest = (value, other) => equal(value, other);
const isLess = compare('<', (compared) => compared < 0);
const isLessOrEqual = compare('<=', (compared) => compared <= 0);
const isGreater = compare('>', (compared) => compared > 0);
const isGreaterOrEqual = compare('>=', (compared) => compared >= 0);
const isNotEqual: ValueTest = (value, other) => !equal(value, other);

/** jinja2's tests of one value. */
export const UNARY_TESTS: Readonly<Record<string, ValueTest>> = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) =>
    value instanceof Callable ||
    value instanceof Undefined ||
    (value instanceof Opaque && value.callable !== undefined),
  defined: (value) => !(value instanceof Undefined),
  escaped: (value) => value instanceof Markup,
  even: (value) => remainder(value, 2) === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  integer: (value) => typeof value === 'number',
  iterable: (value) => value instanceof Lazy || elements(value) !== undefined,
  lower: (value) => isLowerText(textOf(value)),
  mapping: (value) => value instanceof Dict,
  none: (value) => value === null,
  number: isNumber,
  odd: (value) => remainder(value, 2) === 1,
  sequence: isSequence,
  string: (value) => typeof value === 'string' || value instanceof Markup,
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => isUpperText(textOf(value)),
};

/** jinja2's tests of a value beside another. */
export const BINARY_TESTS: Readonly<Record<string, ValueTest>> = {
  '!=': isNotEqual,
  '<': isLess,
  '<=': isLessOrEqual,
  '==': isEqual,
  '>': isGreater,
  '>=': isGreaterOrEqual,
  divisibleby: (value, by) => remainder(value, by) === 0,
  eq: isEqual,
  equalto: isEqual,
  ge: isGreaterOrEqual,
  greaterthan: isGreater,
  gt: isGreater,
  in: (value, container) => contains(container, value),
  le: isLessOrEqual,
  lessthan: isLess,
  lt: isLess,
  ne: isNotEqual,
  sameas: isSame,
};

function isSequence(value: Value): boolean {
  if (value instanceof Lazy) return false;
  if (value instanceof Callable || value instanceof Namespace || value instanceof Opaque) return false;
  return value instanceof Undefined || value instanceof Tuple || value instanceof Range || sizeOf(value) !== undefined;
}

function isSame(value: Value, other: Value): boolean {
  const isSingle = (one: Value): boolean => one === null || typeof one === 'boolean';
  if (isSingle(value) || isSingle(other)) return value === other;
  throw new UnsupportedTemplateError('sameas of other than none, true and false');
}

/** @throws TemplateError for a test that jinja2 does not have, or a wrong number of arguments. */
export function runTest(name: string, value: Value, positional: Value[]): boolean {
  if (Object.hasOwn(UNARY_TESTS, name)) {
    if (positional.length > 0) throw new TemplateError(`the test "${name}" takes no argument`);
    return UNARY_TESTS[name](value, null);
  }
  if (!Object.hasOwn(BINARY_TESTS, name)) {
    if (name === 'filter' || name === 'test') throw new UnsupportedTemplateError(`the test "${name}"`);
    throw new TemplateError(`No test named '${name}'.`);
  }
  if (positional.length !== 1)
    throw new TemplateError(`the test "${name}" takes one argument, received ${positional.length}`);
  return BINARY_TESTS[name](value, positional[0]);
}
