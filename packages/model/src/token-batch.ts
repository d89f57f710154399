import * as tf from '@tensorflow/tfjs-core';
import type { TokenBatch } from './llama.js';

/** Token rows as the data pipeline hands them over, [numRows * rowLength] each. */
export interface TokenRows {
  ids: Int32Array;
  positions: Int32Array;
  first: Int32Array;
  last: Int32Array;
  numRows: number;
  rowLength: number;
}

/** Puts rows on the current device. `slidingWindow` narrows what each token sees to the last W tokens. */
export function toTokenBatch(rows: TokenRows, slidingWindow: number | null = null): TokenBatch {
  const int = (values: Int32Array): tf.Tensor => tf.tensor1d(values, 'int32');
  const first =
    slidingWindow === null ? rows.first : rows.first.map((from, i) => Math.max(from, rows.last[i] - slidingWindow + 1));
  const { numRows, rowLength } = rows;
  return {
    ids: int(rows.ids),
    positions: int(rows.positions),
    first: int(first),
    ...(slidingWindow === null ? {} : { unbounded: int(rows.first) }),
    last: int(rows.last),
    numRows,
    rowLength,
  };
}

/** One document per row, padded on the right to the longest; padding sees itself only. */
export function rowsOfSequences(sequences: ArrayLike<number>[], padId = 0): TokenRows {
  const rowLength = Math.max(...sequences.map((sequence) => sequence.length));
  const size = sequences.length * rowLength;
  const rows = {
    ids: new Int32Array(size).fill(padId),
    positions: new Int32Array(size),
    first: new Int32Array(size),
    last: new Int32Array(size),
  };
  sequences.forEach((sequence, r) => {
    for (let t = 0; t < rowLength; t++) {
      const at = r * rowLength + t;
      const isPadding = t >= sequence.length;
      if (!isPadding) rows.ids[at] = sequence[t];
      rows.positions[at] = isPadding ? 0 : t;
      rows.first[at] = isPadding ? t : 0;
      rows.last[at] = t;
    }
  });
  return { ...rows, numRows: sequences.length, rowLength };
}

/** Releases a batch's tensors. */
export function disposeBatch(batch: TokenBatch): void {
  for (const tensor of [batch.ids, batch.positions, batch.first, batch.last]) tensor.dispose();
  batch.unbounded?.dispose();
}
