import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '@lethe/run';
import { frozenWeight, Parameter } from '@lethe/tensor';
import type { LlamaConfig } from './config.js';
import { Llama } from './llama.js';
import { parameterSpecs } from './parameter-names.js';

/**
 * A model with fresh weights: matrices from N(0, initializerRange), norms 1, biases 0. Each parameter has its own random
 * stream (seed, name), so that a change of one does not move the others.
 */
export function initializeLlama(config: LlamaConfig, seed: number): Llama {
  const parameters = parameterSpecs(config).map(({ name, shape }) => {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    if (name.endsWith('norm.weight')) values.fill(1);
    else if (!name.endsWith('.bias')) {
      const random = seededRandom(seed, 'initialize', name);
      for (let i = 0; i < values.length; i++) values[i] = random.normal() * config.initializerRange;
    }
    return new Parameter(name, tf.tensor(values, shape));
  });
  return new Llama(config, parameters);
}

/** A copy with storage of its own, not trainable: the frozen original model. */
export function cloneLlama(model: Llama): Llama {
  const copies = model.parameters.map(({ name, value }) => new Parameter(name, frozenWeight(value), false));
  return new Llama(model.config, copies);
}
