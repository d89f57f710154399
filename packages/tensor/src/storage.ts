import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from './backend.js';
import { converted } from './call.js';
import { precision } from './precision.js';

/** Whether activations and frozen matrices are held in bf16: by the current precision and device. */
export function holdsBf16(): boolean {
  return precision() === 'bf16' && tf.engine().backend instanceof LetheBackend;
}

function inBf16(x: tf.Tensor): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(converted(tf.engine().backend as LetheBackend, x, true));
}

/**
 * A copy of a frozen matrix in the form that products read: held in bf16 where the current precision is bf16, so that
 * it takes half the memory and is not rounded again at every use.
 */
export function frozenWeight(x: tf.Tensor): tf.Tensor {
  return holdsBf16() && x.rank > 1 ? inBf16(x) : tf.tensor(x.dataSync(), x.shape);
}

/** A tensor held in bf16, from its bit patterns in parts; only where {@link holdsBf16}. */
export function bf16Tensor(parts: Iterable<Uint16Array>, shape: number[]): tf.Tensor {
  const backend = tf.engine().backend as LetheBackend;
  const info = backend.activation(shape, true);
  let offset = 0;
  for (const part of parts) {
    backend.addon.write(backend.buffer(info), offset, part);
    offset += part.byteLength;
  }
  return tf.engine().makeTensorFromTensorInfo(info);
}

/** Bit patterns of a tensor that is held in bf16. Waits for the device. */
export function bf16Bits(x: tf.Tensor): Uint16Array {
  const values = x.dataSync() as Float32Array;
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word) => word >>> 16);
}

/** A tensor in the form of activations of the current precision; takes `x`, in fp32. */
export function asActivation(x: tf.Tensor): tf.Tensor {
  if (!holdsBf16()) return x;
  const narrow = inBf16(x);
  x.dispose();
  return narrow;
}

/** Zeros in the form of activations: room for keys and values. */
export const zeroActivation = (shape: number[]): tf.Tensor => asActivation(tf.fill(shape, 0));
