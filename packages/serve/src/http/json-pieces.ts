/** A list whose elements are made while they are written, so that they are never all held. */
export class ListToWrite<T> {
  constructor(
    private readonly items: readonly T[],
    private readonly write: (item: T) => unknown,
  ) {}

  /** The text of its elements, many at a time. */
  *pieces(): Generator<string> {
    for (let from = 0; from < this.items.length; from += AT_ONCE) {
      const some = this.items.slice(from, from + AT_ONCE).map((item) => JSON.stringify(this.write(item)));
      yield `${from > 0 ? ',' : ''}${some.join(',')}`;
    }
  }

  /** For `JSON.stringify`, where there are few. */
  toJSON(): unknown[] {
    return this.items.map(this.write);
  }
}

const AT_ONCE = 64;

/** What `JSON.stringify` writes, in pieces; `undefined` keys are left out. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (value instanceof ListToWrite) {
    yield '[';
    yield* value.pieces();
    yield ']';
  } else if (Array.isArray(value)) {
    yield '[';
    for (const [index, one] of value.entries()) {
      if (index > 0) yield ',';
      yield* jsonPieces(one);
    }
    yield ']';
  } else if (typeof value === 'object' && value !== null) {
    let separator = '{';
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      yield* jsonPieces(one);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  } else {
    yield JSON.stringify(value);
  }
}
