import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import type { Parameter } from '../parameter.js';
import type { Collectives } from './collectives.js';

/** Adds up the gradients of parameters over all ranks, in place where the device can. */
export async function sumGradients(parameters: readonly Parameter[], ranks: Collectives): Promise<void> {
  if (ranks.size === 1) return;
  if (tf.engine().backend instanceof LetheBackend) {
    await Promise.all(parameters.map(({ grad }) => ranks.allReduce(grad)));
    return;
  }
  for (const parameter of parameters) {
    const values = Float32Array.from(parameter.grad.dataSync());
    await ranks.allReduceValues(values);
    parameter.setGrad(tf.tensor(values, parameter.value.shape));
  }
}
