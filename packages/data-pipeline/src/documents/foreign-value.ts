/** A value of a table that JSON has no word for, such as a date: it can be told apart from others, and nothing else. */
export class ForeignValue {
  /** Tells it from mappings in another thread, to which it comes without its class: neither JSON nor tables have an undefined. */
  readonly foreign = undefined;

  constructor(
    /** Its type in Python. */
    readonly kind: 'datetime' | 'timedelta' | 'Decimal',
    readonly text: string,
  ) {}
}

/** Whether a value is a foreign one, of this thread or another. */
export const isForeign = (value: unknown): value is ForeignValue =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'foreign') &&
  (value as ForeignValue).foreign === undefined;

/** A number of a column of floats: a whole one is a `Number` object, since a chat template writes 2.0 and not 2. */
export const floatValue = (value: number): unknown => (Number.isInteger(value) ? new Number(value) : value);
