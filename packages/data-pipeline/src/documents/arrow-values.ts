import { DataType, type Field } from 'apache-arrow';
import { floatValue, ForeignValue } from './foreign-value.js';

type Row = Record<string, unknown>;

/** A row of an Arrow table as plain lists, mappings, texts and numbers, by the types of its columns. */
export function plainRow(row: Row, fields: readonly Field[]): Row {
  const types = new Map(fields.map(({ name, type }) => [name, type as DataType]));
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value, types.get(name))]));
}

function plain(value: unknown, type: DataType | undefined): unknown {
  if (value === null || value === undefined) return value;
  if (DataType.isDictionary(type)) return plain(value, type.dictionary as DataType);
  if (DataType.isFloat(type)) return floatValue(Number(value));
  const kind = foreignKind(type);
  if (kind) return new ForeignValue(kind, String(value));
  if (typeof value !== 'object') return value;
  const { toJSON } = value as { toJSON?: () => unknown };
  const json = typeof toJSON === 'function' ? toJSON.call(value) : value;
  if (Array.isArray(json)) return json.map((item) => plain(item, type?.children?.[0]?.type as DataType | undefined));
  if (json === null || typeof json !== 'object' || ArrayBuffer.isView(json)) return json;
  return DataType.isMap(type)
    ? Object.fromEntries(Object.entries(json).map(([key, entry]) => [key, plain(entry, type.valueType as DataType)]))
    : plainRow(json as Row, (type?.children as Field[] | undefined) ?? []);
}

function foreignKind(type: DataType | undefined): ForeignValue['kind'] | undefined {
  if (DataType.isDecimal(type)) return 'Decimal';
  if (DataType.isDuration(type) || DataType.isInterval(type)) return 'timedelta';
  return DataType.isTimestamp(type) || DataType.isDate(type) || DataType.isTime(type) ? 'datetime' : undefined;
}
