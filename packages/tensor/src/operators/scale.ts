import * as tf from '@tensorflow/tfjs-core';
import { record } from '../tape.js';

/** factor * x, held in fp32. */
export function scale(x: tf.Tensor, factor: number): tf.Tensor {
  const times = (tensor: tf.Tensor): tf.Tensor => tf.tidy(() => tf.mul(tensor, factor));
  const y = times(x);
  record({ inputs: [x], outputs: [y], saved: [], backward: ([dy]) => [times(dy!)] });
  return y;
}
