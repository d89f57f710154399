import type { DuckDBType, DuckDBValue, DuckDBValueConverter, JS } from '@duckdb/node-api';
import { floatValue, ForeignValue } from './foreign-value.js';

/** Types of DuckDB that JSON has no word for, as Python has them. */
const FOREIGN: readonly [RegExp, ForeignValue['kind']][] = [
  [/^(TIME|DATE)/, 'datetime'],
  [/^INTERVAL/, 'timedelta'],
  [/^DECIMAL/, 'Decimal'],
];

type Plain = JS | ForeignValue;

/** Reads values as `js` does, but that floats stay floats, and dates and decimals are no numbers. */
export function parquetValues(js: DuckDBValueConverter<JS>): DuckDBValueConverter<Plain> {
  return (value: DuckDBValue, type: DuckDBType, converter): Plain | null => {
    if (value === null) return null;
    if (typeof value === 'number') return /^(FLOAT|DOUBLE)$/.test(String(type)) ? (floatValue(value) as JS) : value;
    const kind = FOREIGN.find(([pattern]) => pattern.test(String(type)))?.[1];
    if (kind) return new ForeignValue(kind, String(value));
    return js(value, type, converter as DuckDBValueConverter<JS>);
  };
}
