import { bind, type Bound, wholeArgument } from './arguments.js';
import { equal } from './comparing.js';
import { TemplateError } from './template-error.js';
import { Callable, Dict, Lazy, Tuple, Undefined, type Value } from './values.js';

/** Methods that change their object: transformers renders in jinja2's immutable sandbox, which refuses them. */
const CHANGING: Record<'dict' | 'list', string[]> = {
  dict: ['clear', 'pop', 'popitem', 'setdefault', 'update'],
  list: ['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort'],
};

/** A bound method of a dict, list or tuple; undefined for no such name. */
export function containerMethod(object: Dict | Tuple | Value[], name: string): Callable | Undefined | undefined {
  const kind = object instanceof Dict ? 'dict' : Array.isArray(object) ? 'list' : 'tuple';
  if (kind !== 'tuple' && CHANGING[kind].includes(name)) {
    return new Undefined(`the sandbox refuses ${kind}.${name}, which changes the ${kind}`);
  }
  if (object instanceof Dict) return dictMethod(object, name);
  const items = Array.isArray(object) ? object : object.items;
  if (name === 'count') return method(name, 'value', ([value]) => items.filter((item) => equal(item, value!)).length);
  if (name === 'index') return method(name, 'value start? stop?', (bound) => indexIn(items, bound));
  if (name === 'copy' && Array.isArray(object)) return method(name, '', () => [...items]);
  return undefined;
}

function dictMethod(dict: Dict, name: string): Callable | undefined {
  if (name === 'get')
    return method(name, 'key default?', ([key, fallback = null]) => (dict.has(key!) ? dict.get(key!)! : fallback));
  if (name === 'items')
    return method(name, '', () => new Lazy(() => dict.entries().map((entry) => new Tuple(entry)), 'dict_items'));
  if (name === 'keys') return method(name, '', () => new Lazy(() => dict.keys(), 'dict_keys'));
  if (name === 'values') return method(name, '', () => new Lazy(() => dict.values(), 'dict_values'));
  if (name === 'copy') return method(name, '', () => new Dict(dict.entries()));
  if (name === 'fromkeys') {
    return method(
      name,
      'keys value?',
      ([keys, value = null]) => new Dict((keys as Value[]).map((key) => [key, value])),
    );
  }
  return undefined;
}

function indexIn(items: Value[], [value, start, stop]: (Value | undefined)[]): number {
  const from = wholeArgument(start, 0, 'index');
  const to = wholeArgument(stop, items.length, 'index');
  const at = items.findIndex((item, i) => i >= from && i < to && equal(item, value!));
  if (at < 0) throw new TemplateError('the value is not in the list');
  return at;
}

/** A method that Python calls by position alone. */
function method(name: string, signature: string, run: (bound: Bound) => Value): Callable {
  return new Callable(name, (positional, named) => {
    if (named.size > 0) throw new TemplateError(`${name}() takes no keyword arguments`);
    return run(bind(name, signature, positional, named));
  });
}
