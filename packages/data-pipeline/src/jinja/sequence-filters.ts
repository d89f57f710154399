import { wholeArgument } from './arguments.js';
import { attributeOf } from './attributes.js';
import { equal, order } from './comparing.js';
import { filter, type Filter, type Operations, pathGetter, sortKey } from './filter.js';
import { characters, isTrue, iterate, lengthOf, sizeOf } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { Dict, Lazy, type Named, Namespace, Tuple, Undefined, type Value } from './values.js';

/** Filters over elements. */
export const SEQUENCE_FILTERS: readonly [string, Filter][] = [
  filter('attr', 'name', (value, [name]) => ownAttribute(value, name!)),
  filter('batch', 'linecount fill_with?', (value, [count, fill]) =>
    lazy(() => batches(iterate(value), wholeArgument(count, 0, 'batch'), fill)),
  ),
  filter('count', '', lengthOf),
  filter('default', 'default_value? boolean?', withDefault),
  filter('d', 'default_value? boolean?', withDefault),
  filter('dictsort', 'case_sensitive? by? reverse?', dictSorted),
  filter('first', '', (value) => one(iterate(value), 0, 'No first item, sequence was empty.')),
  filter('groupby', 'attribute default? case_sensitive?', grouped),
  filter('items', '', (value) => itemsOf(value)),
  filter('last', '', (value) => lastOf(value)),
  filter('length', '', lengthOf),
  filter('list', '', (value) => [...iterate(value)]),
  filter('max', 'case_sensitive? attribute?', (value, [caseSensitive, attribute]) =>
    extreme(value, sortKey(attribute, caseSensitive), 1),
  ),
  filter('min', 'case_sensitive? attribute?', (value, [caseSensitive, attribute]) =>
    extreme(value, sortKey(attribute, caseSensitive), -1),
  ),
  ['map', mapped],
  ['reject', (value, positional, named, operations) => chosen(value, { positional, named, operations, wanted: false })],
  [
    'rejectattr',
    (value, positional, named, operations) =>
      chosen(value, { positional, named, operations, wanted: false, isByAttribute: true }),
  ],
  ['select', (value, positional, named, operations) => chosen(value, { positional, named, operations, wanted: true })],
  [
    'selectattr',
    (value, positional, named, operations) =>
      chosen(value, { positional, named, operations, wanted: true, isByAttribute: true }),
  ],
  filter('reverse', '', reversed),
  filter('slice', 'slices fill_with?', (value, [count, fill]) =>
    lazy(() => slices(iterate(value), wholeArgument(count, 0, 'slice'), fill)),
  ),
  filter('sort', 'reverse? case_sensitive? attribute?', sorted),
  filter('unique', 'case_sensitive? attribute?', (value, [caseSensitive, attribute]) => {
    const items = iterate(value);
    return lazy(() => unique(items, sortKey(attribute, caseSensitive)));
  }),
];

const lazy = (items: () => Value[]): Lazy => new Lazy(items);

function one(items: Value[], at: 0 | -1, problem: string): Value {
  return items.length === 0 ? new Undefined(problem) : items.at(at)!;
}

function withDefault(value: Value, [fallback = '', boolean]: (Value | undefined)[]): Value {
  const isReplaced = value instanceof Undefined || (boolean !== undefined && isTrue(boolean) && !isTrue(value));
  return isReplaced ? fallback : value;
}

/** `value|attr(name)`: an attribute, never an element. */
function ownAttribute(value: Value, name: Value): Value {
  if (typeof name !== 'string') throw new TemplateError('attr: the name must be a text');
  if (value instanceof Dict && value.has(name)) {
    return ownAttribute(new Dict(value.entries().filter(([key]) => key !== name)), name);
  }
  if (value instanceof Undefined) return new Undefined(`undefined has no attribute '${name}'`);
  return attributeOf(value, name);
}

function itemsOf(value: Value): Value {
  if (value instanceof Undefined) return lazy(() => []);
  if (!(value instanceof Dict)) throw new TemplateError('Can only get item pairs from a mapping.');
  return lazy(() => value.entries().map((entry) => new Tuple(entry)));
}

function lastOf(value: Value): Value {
  if (sizeOf(value) === undefined || value instanceof Namespace)
    throw new TemplateError('last: the value cannot be reversed');
  return one(iterate(value), -1, 'No last item, sequence was empty.');
}

function reversed(value: Value): Value {
  if (typeof value === 'string') return characters(value).reverse().join('');
  const items = [...iterate(value)].reverse();
  return value instanceof Lazy && value.view === undefined ? items : lazy(() => items);
}

function extreme(value: Value, key: (item: Value) => Value, direction: 1 | -1): Value {
  const [first, ...rest] = iterate(value);
  if (first === undefined) return new Undefined('No aggregated item, sequence was empty.');
  return rest.reduce(
    (best, item) => (order(key(item), key(best), direction > 0 ? '>' : '<') === direction ? item : best),
    first,
  );
}

function unique(items: Value[], key: (item: Value) => Value): Value[] {
  const seen = new Dict();
  return items.filter((item) => {
    const name = key(item);
    const isNew = !seen.has(name);
    seen.set(name, true);
    return isNew;
  });
}

function byKeys(keys: ((item: Value) => Value)[], isReversed: boolean): (a: Value, b: Value) => number {
  return (a, b) => {
    for (const key of keys) {
      const compared = equal(key(a), key(b)) ? 0 : order(key(a), key(b), '<');
      if (compared !== 0) return isReversed ? -compared : compared;
    }
    return 0;
  };
}

function sorted(value: Value, [isReversed, caseSensitive, attribute]: (Value | undefined)[]): Value {
  const attributes = typeof attribute === 'string' ? attribute.split(',') : [attribute];
  const keys = attributes.map((name) => sortKey(name, caseSensitive));
  return [...iterate(value)].sort(byKeys(keys, isReversed !== undefined && isTrue(isReversed)));
}

function dictSorted(value: Value, [caseSensitive, by = 'key', isReversed]: (Value | undefined)[]): Value {
  if (!(value instanceof Dict)) throw new TemplateError('dictsort: expected a mapping');
  if (by !== 'key' && by !== 'value') throw new TemplateError('You can only sort by either "key" or "value"');
  const key = sortKey(by === 'key' ? 0 : 1, caseSensitive);
  const pairs: Value[] = value.entries().map((entry) => new Tuple(entry));
  const direction = isReversed !== undefined && isTrue(isReversed) ? -1 : 1;
  return pairs.sort((a, b) => direction * order(key(a), key(b), '<'));
}

function grouped(value: Value, [attribute, fallback, caseSensitive]: (Value | undefined)[]): Value {
  const get = pathGetter(attribute!, fallback);
  const key = (item: Value): Value => {
    const found = get(item);
    return typeof found === 'string' && caseSensitive !== true ? found.toLowerCase() : found;
  };
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of [...iterate(value)].sort((a, b) => order(key(a), key(b), '<'))) {
    const last = groups.at(-1);
    if (last && equal(last.key, key(item))) last.items.push(item);
    else groups.push({ key: key(item), items: [item] });
  }
  return groups.map(({ key: name, items }) => {
    const grouper = caseSensitive === true ? name : get(items[0]);
    return new Tuple([grouper, items], ['grouper', 'list']);
  });
}

function batches(items: Value[], count: number, fill: Value | undefined): Value[] {
  if (count < 1) throw new UnsupportedTemplateError(`batch of ${count}`);
  const parts: Value[][] = [];
  for (let start = 0; start < items.length; start += count) parts.push(items.slice(start, start + count));
  const last = parts.at(-1);
  if (last && fill !== undefined && fill !== null) while (last.length < count) last.push(fill);
  return parts;
}

function slices(items: Value[], count: number, fill: Value | undefined): Value[] {
  if (count < 1) throw new TemplateError('slice: expected a number of slices above 0');
  const each = Math.floor(items.length / count);
  const numExtra = items.length % count;
  let start = 0;
  return Array.from({ length: count }, (_, i) => {
    const part = items.slice(start, (start += each + (i < numExtra ? 1 : 0)));
    return fill !== undefined && fill !== null && i >= numExtra ? [...part, fill] : part;
  });
}

function mapped(value: Value, positional: Value[], named: Named, operations: Operations): Value {
  return lazy(() => {
    if (!isTrue(value)) return [];
    if (positional.length === 0 && named.has('attribute')) {
      const extra = [...named.keys()].find((key) => key !== 'attribute' && key !== 'default');
      if (extra !== undefined) throw new TemplateError(`Unexpected keyword argument '${extra}'`);
      return iterate(value).map(pathGetter(named.get('attribute')!, named.get('default')));
    }
    const [name, ...rest] = positional;
    if (typeof name !== 'string') throw new TemplateError('map requires a filter argument');
    return iterate(value).map((item) => operations.filter(name, item, rest, named));
  });
}

interface Choice {
  positional: Value[];
  named: Named;
  operations: Operations;
  wanted: boolean;
  isByAttribute?: boolean;
}

function chosen(value: Value, { positional, operations, wanted, isByAttribute }: Choice): Value {
  return lazy(() => {
    if (!isTrue(value)) return [];
    if (isByAttribute && positional.length === 0) throw new TemplateError('Missing parameter for attribute name');
    const get = isByAttribute ? pathGetter(positional[0]) : (item: Value) => item;
    const [name, ...rest] = isByAttribute ? positional.slice(1) : positional;
    const test = (item: Value): boolean =>
      name === undefined ? isTrue(item) : operations.test(name as string, item, rest);
    return iterate(value).filter((item) => test(get(item)) === wanted);
  });
}
