import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import { callOperator } from '../call.js';

/**
 * Writes rows into a cache at row `at` of every sequence, in place where the device can.
 * @param cache [B, S, W]; @param rows [B * T, W], sequence by sequence.
 * @throws RangeError when the rows do not fit.
 */
export function appendRows(cache: tf.Variable, rows: tf.Tensor, at: number): void {
  const [B, S, W] = cache.shape as number[];
  const T = rows.shape[0] / B;
  if (at < 0 || at + T > S)
    throw new RangeError(`appendRows: expected rows ${at} to ${at + T} within a cache of ${S} rows`);
  const backend = tf.engine().backend;
  if (backend instanceof LetheBackend) {
    const block = { rows: B, cols: T * W, x_offset: 0, x_stride: T * W, y_offset: at * W, y_stride: S * W };
    callOperator(backend, 'copy_block', { X: rows.size, Y: cache.size, x: rows, y: cache, ...block });
    return;
  }
  tf.tidy(() => {
    const before = tf.slice(cache, [0, 0, 0], [B, at, W]);
    const after = tf.slice(cache, [0, at + T, 0], [B, S - at - T, W]);
    cache.assign(tf.concat([before, tf.reshape(rows, [B, T, W]), after], 1));
  });
}
