import * as tf from '@tensorflow/tfjs-core';
import { record } from '../tape.js';

/** The same elements under another shape, without a copy. */
export function reshape(x: tf.Tensor, shape: number[]): tf.Tensor {
  const y = tf.reshape(x, shape);
  const backward = ([dy]: (tf.Tensor | undefined)[]): tf.Tensor[] => [tf.reshape(dy!, x.shape)];
  record({ inputs: [x], outputs: [y], saved: [], backward });
  return y;
}
