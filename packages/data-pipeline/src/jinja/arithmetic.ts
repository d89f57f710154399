import { printf } from './printf.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { Float, integer, Markup, numberOf, Tuple, typeName, Undefined, type Value } from './values.js';

/** Longest text or list that `*` may make. */
const MAX_REPEATED = 2 ** 24;

/** `a operator b` for + - * / // % **. @throws TemplateError as Python's TypeError, UndefinedError, ZeroDivisionError. */
export function calculate(operator: string, a: Value, b: Value): Value {
  if (a instanceof Undefined && !(typeof b === 'string' && operator === '%')) a.fail();
  if (a instanceof Markup || b instanceof Markup) throw new UnsupportedTemplateError(`${operator} of text marked safe`);
  if (operator === '%' && typeof a === 'string') return printf(a, b);
  if (b instanceof Undefined) b.fail();
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined && right !== undefined) {
    const isFloat = a instanceof Float || b instanceof Float;
    return ofNumbers(operator, left, right, isFloat);
  }
  const joined = operator === '+' ? concatenated(a, b) : operator === '*' ? repeated(a, b) : undefined;
  if (joined !== undefined) return joined;
  throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
}

function ofNumbers(operator: string, a: number, b: number, isFloat: boolean): Value {
  const number = (value: number): Value => (isFloat ? new Float(value) : integer(value));
  if (operator === '+') return number(a + b);
  if (operator === '-') return number(a - b);
  if (operator === '*') return number(a * b);
  if (operator === '**') return power(a, b, isFloat);
  if (b === 0) throw new TemplateError('division by zero');
  if (operator === '/') return new Float(a / b);
  const remainder = a % b;
  const isAcross = remainder !== 0 && remainder < 0 !== b < 0;
  if (operator === '%') return number(isAcross ? remainder + b : remainder + 0);
  return number(isFloat ? Math.floor(a / b) : (a - (isAcross ? remainder + b : remainder)) / b);
}

/** Powers whose result is exact, or the nearest float to one: of others JavaScript's last digit differs from C's. */
function power(a: number, b: number, isFloat: boolean): Value {
  if (a === 0 && b < 0) throw new TemplateError('0.0 cannot be raised to a negative power');
  const exact = a ** Math.abs(b);
  if (!Number.isInteger(a) || !Number.isInteger(b) || !Number.isSafeInteger(exact)) {
    throw new UnsupportedTemplateError(`the power ${a} ** ${b}`);
  }
  if (b < 0) return new Float(1 / exact);
  return isFloat ? new Float(exact) : exact;
}

function concatenated(a: Value, b: Value): Value | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
  return a instanceof Tuple && b instanceof Tuple ? new Tuple([...a.items, ...b.items]) : undefined;
}

function repeated(a: Value, b: Value): Value | undefined {
  const [sequence, times] = typeof a === 'number' || typeof a === 'boolean' ? [b, Number(a)] : [a, b];
  if (typeof times !== 'number' && typeof times !== 'boolean') return undefined;
  const count = Math.max(0, Number(times));
  const repeat = (items: Value[]): Value[] =>
    Array.from({ length: check(count * items.length) }, (_, i) => items[i % items.length]);
  if (typeof sequence === 'string') return sequence.repeat(check(count * sequence.length) === 0 ? 0 : count);
  if (Array.isArray(sequence)) return repeat(sequence);
  return sequence instanceof Tuple ? new Tuple(repeat(sequence.items)) : undefined;
}

function check(length: number): number {
  if (length > MAX_REPEATED) throw new UnsupportedTemplateError(`a repetition of ${length} elements`);
  return length;
}

/** `-value` or `+value`. */
export function signed(operator: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  const result = operator === '-' ? -number : number;
  return value instanceof Float ? new Float(result) : result + 0;
}
