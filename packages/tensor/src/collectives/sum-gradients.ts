import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../parameter.js';
import type { Collectives } from './collectives.js';

/** Adds up the gradients of parameters over all ranks as one: a call costs as much as some hundred kilobytes. */
export async function sumGradientsAsOne(parameters: readonly Parameter[], ranks: Collectives): Promise<void> {
  const values = new Float32Array(parameters.reduce((sum, { value }) => sum + value.size, 0));
  let end = 0;
  const places = parameters.map(({ value }) => [end, (end += value.size)] as const);
  parameters.forEach(({ grad }, i) => values.set(grad.dataSync() as Float32Array, places[i][0]));
  await ranks.allReduceValues(values);
  parameters.forEach((parameter, i) =>
    parameter.setGrad(tf.tensor(values.slice(...places[i]), parameter.value.shape, 'float32')),
  );
}
