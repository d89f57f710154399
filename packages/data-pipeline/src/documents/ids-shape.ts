import { describe, valueAt, type Columns, type ShapedRow } from './columns.js';

/** Ids that a loss ignores, in the `labels` of Hugging Face `transformers`. */
const IGNORED_LABEL = -100;
const MAX_ID = 2 ** 31 - 1;

/**
 * Reads a row of token ids: `input_ids`, without the padding that an `attention_mask` of 0 marks. Targets are where
 * `targets_mask` is 1, or where `labels` is not -100.
 */
export function shapeIds(row: unknown, columns?: Columns): ShapedRow {
  const name = columns?.ids ?? 'input_ids';
  const ids = integersAt(row, name);
  if (typeof ids === 'string') return { problem: ids };
  if (ids.length === 0) return { problem: `column "${name}" is empty` };
  if (ids.some((id) => id < 0)) return { problem: `column "${name}" holds a negative id` };
  const maskName = columns?.mask ?? ['targets_mask', 'labels'].find((key) => valueAt(row, key) != null);
  const targets = maskName === undefined ? undefined : integersAt(row, maskName, ids.length);
  const present = valueAt(row, 'attention_mask') == null ? undefined : integersAt(row, 'attention_mask', ids.length);
  if (typeof targets === 'string') return { problem: targets };
  if (typeof present === 'string') return { problem: present };
  const isTarget = maskName === 'labels' ? (value: number) => value !== IGNORED_LABEL : (value: number) => value !== 0;
  const mask = targets && Uint8Array.from(targets, (value) => Number(isTarget(value)));
  const isKept = (_: number, i: number) => present === undefined || present[i] !== 0;
  const kept = present ? ids.filter(isKept) : ids;
  if (kept.length === 0) return { problem: `column "${name}" is nothing but padding` };
  const shaped = { shape: name, ids: kept };
  return mask ? { ...shaped, mask: present ? mask.filter(isKept) : mask } : shaped;
}

/** A list of whole numbers, or what is wrong with it. */
function integersAt(row: unknown, name: string, length?: number): Int32Array | string {
  const list = valueAt(row, name);
  if (!Array.isArray(list) && !ArrayBuffer.isView(list)) {
    return `column "${name}" must be a list of whole numbers, received ${describe(list)}`;
  }
  const values = Array.from(list as ArrayLike<unknown>, (value) =>
    typeof value === 'bigint' || value instanceof Number ? Number(value) : value,
  );
  const wrong = values.findIndex((value) => !(Number.isInteger(value) && Math.abs(value as number) <= MAX_ID));
  if (wrong >= 0)
    return `element ${wrong} of "${name}" must be a whole number below 2^31, received ${String(values[wrong])}`;
  if (length !== undefined && values.length !== length) {
    return `column "${name}" must be as long as the ids, ${length}, received ${values.length}`;
  }
  return Int32Array.from(values as number[]);
}
