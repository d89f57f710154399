import { callable } from './arguments.js';
import { containerMethod } from './container-methods.js';
import { characters, elements } from './iteration.js';
import { stringMethod } from './string-methods.js';
import { UnsupportedTemplateError, TemplateError } from './template-error.js';
import {
  Callable,
  Dict,
  Float,
  Lazy,
  Markup,
  Namespace,
  Opaque,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.js';

/** `object.name`: an attribute, else an element of that name. @throws TemplateError on an undefined object. */
export function attributeOf(object: Value, name: string): Value {
  if (object instanceof Undefined) object.fail();
  return firstOf([() => ownAttribute(object, name), () => elementAt(object, name), () => missing(object, name)]);
}

/** `object[key]`: an element, else an attribute of that name. @throws TemplateError on an undefined object. */
export function itemOf(object: Value, key: Value): Value {
  if (object instanceof Undefined) object.fail();
  const attribute = () => (typeof key === 'string' ? ownAttribute(object, key) : undefined);
  return firstOf([() => elementAt(object, key), attribute, () => missing(object, key)]);
}

/** The first that is there; None is. */
function firstOf(candidates: (() => Value | undefined)[]): Value {
  for (const candidate of candidates) {
    const value = candidate();
    if (value !== undefined) return value;
  }
  throw new TypeError('firstOf: expected a last candidate that is always there');
}

function missing(object: Value, key: Value): Undefined {
  const what = typeof key === 'string' ? `'${key}'` : String(key);
  return new Undefined(`'${typeName(object)} object' has no attribute or element ${what}`);
}

function ownAttribute(object: Value, name: string): Value | undefined {
  if (name.startsWith('_')) return unsafe(object, name);
  if (typeof object === 'string') return stringMethod(object, name);
  if (object instanceof Namespace) return object.attributes.get(name);
  if (object instanceof Opaque) return object.attribute(name);
  if (object instanceof Callable) return object.attributes.get(name);
  if (object instanceof Tuple && object.names.includes(name)) return object.items[object.names.indexOf(name)];
  if (object instanceof Dict || object instanceof Tuple || Array.isArray(object)) return containerMethod(object, name);
  if (object instanceof Markup || object instanceof Range || object instanceof Lazy) {
    throw new UnsupportedTemplateError(`the attribute "${name}" of a ${typeName(object)}`);
  }
  return numberAttribute(object, name);
}

/** The sandbox gives something undefined that may not even be called. */
function unsafe(object: Value, name: string): Undefined | undefined {
  if (object instanceof Dict && object.has(name)) return undefined;
  if (!name.startsWith('__')) return undefined;
  return new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe`);
}

const NUMBER_ATTRIBUTES = [
  'as_integer_ratio',
  'bit_count',
  'bit_length',
  'conjugate',
  'denominator',
  'from_bytes',
  'fromhex',
  'hex',
  'imag',
  'numerator',
  'real',
  'to_bytes',
];

function numberAttribute(object: number | boolean | null | Float | Undefined, name: string): Value | undefined {
  if (object === null || object instanceof Undefined) return undefined;
  if (name === 'is_integer' && object instanceof Float) return callable(name, '', () => Number.isInteger(object.value));
  if (NUMBER_ATTRIBUTES.includes(name)) throw new UnsupportedTemplateError(`the attribute "${name}" of a number`);
  return undefined;
}

function elementAt(object: Value, key: Value): Value | undefined {
  if (object instanceof Dict) return object.get(key);
  if (typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  if (object instanceof Lazy || object instanceof Markup) return undefined;
  const items = typeof object === 'string' ? characters(object) : sequence(object);
  const at = Number(key);
  return items?.[at < 0 ? at + items.length : at];
}

const sequence = (object: Value): Value[] | undefined =>
  Array.isArray(object) || object instanceof Tuple || object instanceof Range ? elements(object) : undefined;

/** The bounds of a slice; null where none is given. */
export interface Slice {
  start: Value;
  stop: Value;
  step: Value;
}

/** `object[start:stop:step]`. @throws TemplateError for an object that cannot be sliced. */
export function sliceOf(object: Value, slice: Slice): Value {
  if (object instanceof Undefined) object.fail();
  if (object instanceof Range) throw new UnsupportedTemplateError('a slice of a range');
  const items = typeof object === 'string' ? characters(object) : sequence(object);
  const bounds = items && sliceBounds(slice, items.length);
  if (!items || !bounds) throw new TemplateError(`'${typeName(object)}' object cannot be sliced so`);
  const chosen: Value[] = [];
  const { start, stop, step } = bounds;
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) chosen.push(items[i]);
  if (typeof object === 'string') return chosen.join('');
  return object instanceof Tuple ? new Tuple(chosen) : chosen;
}

function sliceBounds(slice: Slice, length: number): { start: number; stop: number; step: number } | undefined {
  const parts = [slice.start, slice.stop, slice.step];
  if (!parts.every((part) => part === null || typeof part === 'number' || typeof part === 'boolean')) return undefined;
  const [start, stop, step] = parts.map((part) => (part === null ? undefined : Number(part)));
  const by = step ?? 1;
  if (by === 0) return undefined;
  const [least, most] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (value: number): number => Math.min(most, Math.max(least, value < 0 ? value + length : value));
  return {
    start: start === undefined ? (by > 0 ? 0 : length - 1) : clamp(start),
    stop: stop === undefined ? (by > 0 ? length : -1) : clamp(stop),
    step: by,
  };
}

/** Calls a value. @throws TemplateError for one that cannot be called. */
export function callValue(value: Value, positional: Value[], named: Map<string, Value>): Value {
  if (value instanceof Undefined) value.fail();
  const target = value instanceof Opaque ? value.callable : value;
  if (!(target instanceof Callable)) throw new TemplateError(`'${typeName(value)}' object is not callable`);
  return target.call(positional, named);
}
