import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import { callOperator } from '../call.js';

/** The Euclidean norm of many tensors taken as one vector. NaN and infinities show in it. Waits for the device. */
export function globalNorm(tensors: Iterable<tf.Tensor>): number {
  const backend = tf.engine().backend;
  let sum = tf.fill([1], 0);
  for (const x of tensors) {
    if (backend instanceof LetheBackend) {
      callOperator(backend, 'global_norm', { N: x.size, x, sum_squares: sum });
    } else {
      const next = tf.tidy(() => tf.add(sum, tf.sum(tf.square(x))) as tf.Tensor1D);
      sum.dispose();
      sum = next;
    }
  }
  const norm = Math.sqrt(sum.dataSync()[0]);
  sum.dispose();
  return norm;
}
