import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import type { Parameter } from '../parameter.js';
import type { Collectives } from './collectives.js';

/** Elements below which gradients travel together: a call costs as much as some hundred kilobytes. */
const SMALL = 65_536;

/** Adds up the gradients of parameters over all ranks: large ones in place where the device can, the others as one. */
export async function sumGradients(parameters: readonly Parameter[], ranks: Collectives): Promise<void> {
  if (ranks.size === 1) return;
  const isInPlace = tf.engine().backend instanceof LetheBackend;
  const isLarge = ({ value }: Parameter): boolean => isInPlace && value.size >= SMALL;
  const large = parameters.filter(isLarge).map(({ grad }) => ranks.allReduce(grad));
  const small = parameters.filter((parameter) => !isLarge(parameter));
  await Promise.all([...large, sumTogether(small, ranks)]);
}

async function sumTogether(parameters: readonly Parameter[], ranks: Collectives): Promise<void> {
  const values = new Float32Array(parameters.reduce((sum, { value }) => sum + value.size, 0));
  let end = 0;
  const places = parameters.map(({ value }) => [end, (end += value.size)] as const);
  parameters.forEach(({ grad }, i) => values.set(grad.dataSync() as Float32Array, places[i][0]));
  await ranks.allReduceValues(values);
  parameters.forEach((parameter, i) =>
    parameter.setGrad(tf.tensor(values.slice(...places[i]), parameter.value.shape, 'float32')),
  );
}
