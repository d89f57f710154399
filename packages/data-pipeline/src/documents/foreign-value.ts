/** A value of a table that JSON has no word for, such as a date: it can be told apart from others, and nothing else. */
export class ForeignValue {
  constructor(
    /** Its type in Python. */
    readonly kind: 'datetime' | 'timedelta' | 'Decimal',
    readonly text: string,
  ) {}
}

/** A number of a column of floats: a whole one is a `Number` object, since a chat template writes 2.0 and not 2. */
export const floatValue = (value: number): unknown => (Number.isInteger(value) ? new Number(value) : value);
