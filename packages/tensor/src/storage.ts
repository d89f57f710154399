import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from './backend.js';
import { converted } from './call.js';
import { precision } from './precision.js';

/**
 * A copy of a frozen matrix in the form that products read: held in bf16 where the current precision is bf16, so that
 * it takes half the memory and is not rounded again at every use.
 */
export function frozenWeight(x: tf.Tensor): tf.Tensor {
  const backend = tf.engine().backend;
  if (precision() !== 'bf16' || !(backend instanceof LetheBackend) || x.rank < 2)
    return tf.tensor(x.dataSync(), x.shape);
  return tf.engine().makeTensorFromTensorInfo(converted(backend, x, true));
}

/** Zeros in the form of activations of the current precision: room for keys and values. */
export function zeroActivation(shape: number[]): tf.Tensor {
  const zeros = tf.fill(shape, 0);
  const backend = tf.engine().backend;
  if (precision() !== 'bf16' || !(backend instanceof LetheBackend)) return zeros;
  const narrow = tf.engine().makeTensorFromTensorInfo(converted(backend, zeros, true));
  zeros.dispose();
  return narrow;
}
