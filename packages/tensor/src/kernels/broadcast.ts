import * as tf from '@tensorflow/tfjs-core';

/** How an operand of a broadcast operator is read: element (i / repeat) % size of it makes element i of the result. */
export interface Broadcast {
  size: number;
  repeat: number;
}

/**
 * Describes an operand whose dimensions other than one contiguous block are 1, which covers scalars, rows, columns and
 * equal shapes.
 * @throws RangeError for any other broadcast.
 */
export function broadcastOf(operand: number[], result: number[]): Broadcast {
  const padded = [...Array<number>(result.length - operand.length).fill(1), ...operand];
  const isOwn = (axis: number): boolean => padded[axis] !== 1 && padded[axis] === result[axis];
  let from = 0;
  while (from < padded.length && !isOwn(from)) from++;
  let to = padded.length;
  while (to > from && !isOwn(to - 1)) to--;
  for (let axis = from; axis < to; axis++) {
    if (padded[axis] !== result[axis]) {
      throw new RangeError(`lethe devices cannot broadcast shape [${operand}] to [${result}]; tile it first`);
    }
  }
  return { size: tf.util.sizeFromShape(result.slice(from, to)), repeat: tf.util.sizeFromShape(result.slice(to)) };
}
