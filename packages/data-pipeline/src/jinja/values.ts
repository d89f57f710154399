import { TemplateError, UnsupportedTemplateError } from './template-error.js';

/**
 * A Python value: `str` is a string, `int` a whole number, `bool` a boolean, `None` null, `list` an array; the rest are
 * classes of this file, since JavaScript has no equal.
 */
export type Value =
  | string
  | number
  | boolean
  | null
  | Value[]
  | Float
  | Tuple
  | Dict
  | Undefined
  | Namespace
  | Markup
  | Range
  | Lazy
  | Callable
  | Opaque;

/** A `float`: 2.0 is not 2, and says so when printed. */
export class Float {
  constructor(readonly value: number) {}
}

/** A `tuple`; `names` makes it a named one, as `groupby` gives. */
export class Tuple {
  constructor(
    readonly items: Value[],
    readonly names: readonly string[] = [],
  ) {}
}

/** A `dict`: keeps the order of insertion; 1, 1.0 and True are one key. */
export class Dict {
  private readonly entriesByKey = new Map<string, [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.entriesByKey.size;
  }

  set(key: Value, value: Value): void {
    const name = hashKey(key);
    const known = this.entriesByKey.get(name);
    this.entriesByKey.set(name, [known ? known[0] : key, value]);
  }

  get(key: Value): Value | undefined {
    return this.entriesByKey.get(hashKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.entriesByKey.has(hashKey(key));
  }

  entries(): [Value, Value][] {
    return [...this.entriesByKey.values()];
  }

  keys(): Value[] {
    return this.entries().map(([key]) => key);
  }

  values(): Value[] {
    return this.entries().map(([, value]) => value);
  }
}

/** What an unknown name or key gives: empty text, no elements, false; anything else on it is an error. */
export class Undefined {
  constructor(readonly problem: string) {}

  /** @throws TemplateError as jinja2's UndefinedError. */
  fail(): never {
    throw new TemplateError(this.problem);
  }
}

/** `namespace(...)`: its attributes can be set from inner scopes. */
export class Namespace {
  readonly attributes = new Map<string, Value>();
}

/** Text marked safe by `|safe` or `|escape`; with other text it would escape that, so it can only be printed. */
export class Markup {
  constructor(readonly text: string) {}
}

/** `range(...)`. */
export class Range {
  readonly length: number;
  constructor(
    readonly start: number,
    readonly stop: number,
    readonly step: number,
  ) {
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  items(): number[] {
    return Array.from({ length: this.length }, (_, i) => this.start + i * this.step);
  }
}

/** An iterator that is used up once, as the filters `map` and `select` give; `view` names one that has a length. */
export class Lazy {
  private isUsed = false;
  constructor(
    private readonly items: () => Value[],
    readonly view?: 'dict_keys' | 'dict_values' | 'dict_items',
  ) {}

  take(): Value[] {
    if (this.isUsed && this.view === undefined) return [];
    this.isUsed = true;
    return this.items();
  }
}

/** Named arguments of a call. */
export type Named = Map<string, Value>;

/** A function, macro or bound method. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (positional: Value[], named: Named) => Value,
    /** Attributes, as a macro's `name`. */
    readonly attributes: ReadonlyMap<string, Value> = new Map(),
  ) {}
}

/** An object with attributes alone, such as `loop`, `cycler` and `self`. */
export class Opaque {
  constructor(
    readonly typeName: string,
    readonly attribute: (name: string) => Value | undefined,
    readonly callable?: Callable,
  ) {}
}

/** Python's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Lazy) return value.view ?? 'generator';
  if (value instanceof Opaque) return value.typeName;
  return NAMES.find(([kind]) => value instanceof kind)![1];
}

const NAMES: [new (...parts: never[]) => unknown, string][] = [
  [Float, 'float'],
  [Tuple, 'tuple'],
  [Dict, 'dict'],
  [Undefined, 'Undefined'],
  [Namespace, 'Namespace'],
  [Markup, 'Markup'],
  [Range, 'range'],
  [Callable, 'function'],
];

/** The number of an int, float or bool; undefined for all else. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof Float ? value.value : undefined;
}

/** An int, or a refusal where JavaScript's numbers are no longer exact. */
export function integer(value: number): number {
  if (!Number.isSafeInteger(value)) throw new UnsupportedTemplateError(`the whole number ${value}, beyond 2^53,`);
  return value;
}

function hashKey(key: Value): string {
  if (typeof key === 'string') return `s${key}`;
  if (key === null) return 'None';
  if (key instanceof Undefined) return 'Undefined';
  const number = numberOf(key);
  if (number !== undefined) return `n${number}`;
  if (key instanceof Tuple) return `t${JSON.stringify(key.items.map(hashKey))}`;
  throw new TemplateError(`unhashable type: '${typeName(key)}'`);
}
