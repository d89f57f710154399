import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@lethe/tensor';
import { exportModelFolder, openModelFolder, type StoredDtype } from './checkpoint-files.js';
import { Llama } from './llama.js';
import { parameterSpecs } from './parameter-names.js';

/** A model and the folder's own description of it. */
export interface LoadedLlama {
  model: Llama;
  /** config.json as it was, with the keys that Lethe does not use. */
  rawConfig: Record<string, unknown>;
}

/**
 * Loads a Hugging Face checkpoint folder onto the current device, one tensor at a time, as fp32.
 * @throws UserError naming the file and what is wrong with it.
 */
export async function loadLlama(folder: string, options: { trainable?: boolean } = {}): Promise<LoadedLlama> {
  const { config, rawConfig, tensors } = await openModelFolder(folder);
  try {
    const parameters: Parameter[] = [];
    for (const { name, shape } of parameterSpecs(config)) {
      const values = await tensors.read(name);
      parameters.push(new Parameter(name, tf.tensor(values, shape), options.trainable ?? true));
    }
    return { model: new Llama(config, parameters), rawConfig };
  } finally {
    await tensors.close();
  }
}

/** What is written beside the weights. */
export interface SaveOptions {
  rawConfig?: Record<string, unknown>;
  /** Folder whose tokenizer files are copied. */
  tokenizerFrom?: string;
  dtype?: StoredDtype;
}

/** Writes a model in the Hugging Face layout: config, weights, generation config, tokenizer files. */
export async function saveLlama(model: Llama, out: string, options: SaveOptions = {}): Promise<void> {
  const { rawConfig, tokenizerFrom, dtype = 'F32' } = options;
  function* tensors(): Generator<{ name: string; shape: number[]; data: Float32Array }> {
    for (const { name, value } of model.parameters) {
      yield { name, shape: value.shape, data: value.dataSync() as Float32Array };
    }
  }
  await exportModelFolder({ config: model.config, rawConfig, tensors: tensors(), tokenizerFrom, dtype, out });
}
