import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import { callOperator } from '../call.js';

/** The part of a tensor that one of several ranks works on: a range of its elements, in row order, and what they all have. */
export interface Part {
  start: number;
  count: number;
  /** Elements at the tensor's end that no equal division reaches, fewer than there are ranks: every rank's. */
  rest: number;
}

/** The part of a rank of a tensor of `elements`, as many as there are ranks or more. */
export const partOfRank = (elements: number, { rank, size }: { rank: number; size: number }): Part => {
  const count = Math.floor(elements / size);
  return { start: rank * count, count, rest: elements - size * count };
};

/** A copy of a part, as [count + rest]. */
export const readPart = (x: tf.Tensor, { start, count, rest }: Part): tf.Tensor1D =>
  tf.tidy(() => {
    const flat = tf.reshape(x, [x.size]) as tf.Tensor1D;
    const own = tf.slice1d(flat, start, count);
    return rest === 0 ? own : tf.concat1d([own, tf.slice1d(flat, x.size - rest, rest)]);
  });

/** Writes [count + rest] values to a part, in place. @throws RangeError on devices that cannot. */
export function writePart(x: tf.Tensor, { start, count, rest }: Part, values: tf.Tensor): void {
  const { backend } = tf.engine();
  if (!(backend instanceof LetheBackend)) throw new RangeError('writePart needs a lethe-* device');
  const copy = (cols: number, from: number, to: number): void => {
    const block = { rows: 1, cols, x_offset: from, x_stride: cols, y_offset: to, y_stride: x.size };
    callOperator(backend, 'copy_block', { X: values.size, Y: x.size, x: values, y: x, ...block });
  };
  copy(count, 0, start);
  if (rest > 0) copy(rest, count, x.size - rest);
}
