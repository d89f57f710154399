import { bind, type Bound } from './arguments.js';
import { itemOf } from './attributes.js';
import type { Named, Value } from './values.js';

/** Filters and tests by name, for filters that apply others. */
export interface Operations {
  filter(name: string, value: Value, positional: Value[], named: Named): Value;
  test(name: string, value: Value, positional: Value[]): boolean;
}

/** A filter: the piped value, and the arguments in the brackets. */
export type Filter = (value: Value, positional: Value[], named: Named, operations: Operations) => Value;

/** A filter with a signature as `bind` reads it. */
export function filter(name: string, signature: string, run: (value: Value, bound: Bound) => Value): [string, Filter] {
  return [name, (value, positional, named) => run(value, bind(name, signature, positional, named))];
}

/** Reads a dotted path of elements, as the `attribute` of filters; whole numbers are positions. */
export function pathGetter(path: Value, fallback?: Value): (item: Value) => Value {
  const parts =
    typeof path === 'string' ? path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)) : [path];
  return (item) => {
    let value = item;
    for (const part of parts) {
      value = itemOf(value, part);
      if (fallback !== undefined && fallback !== null && isMissing(value)) value = fallback;
    }
    return value;
  };
}

const isMissing = (value: Value): boolean => typeof value === 'object' && value !== null && 'problem' in value;

/** What sorting and comparing filters look at: the attribute if one is named, in lower case unless told otherwise. */
export function sortKey(attribute: Value | undefined, caseSensitive: Value | undefined): (item: Value) => Value {
  const get = attribute === undefined || attribute === null ? (item: Value) => item : pathGetter(attribute);
  return (item) => {
    const key = get(item);
    return typeof key === 'string' && caseSensitive !== true ? key.toLowerCase() : key;
  };
}
