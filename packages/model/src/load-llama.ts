import * as tf from '@tensorflow/tfjs-core';
import { requireSums } from '@lethe/run';
import { bf16Tensor, holdsBf16, Parameter } from '@lethe/tensor';
import { openModelFolder } from './checkpoint-files.js';
import type { WeightDtype } from './config.js';
import { exportModelFolder } from './export-model.js';
import { Llama } from './llama.js';
import type { Adapter } from './lora/adapter.js';
import { readAdapter } from './lora/adapter-files.js';
import { mergedSource } from './lora/merge.js';
import { headName, type ParameterSpec, parameterSpecs } from './parameter-names.js';
import type { TensorSource } from './safetensors/reader.js';

/** A model and the folder's own description of it. */
export interface LoadedLlama {
  model: Llama;
  /** config.json as it was, with the keys that Lethe does not use. */
  rawConfig: Record<string, unknown>;
}

/** How a checkpoint is loaded. */
export interface LoadOptions {
  /** Default true. */
  trainable?: boolean;
  /** Longest sequence to read, where it is not the model's own `maxPositions` (see {@link Llama}). */
  numPositions?: number;
  /** Folder of a LoRA adapter in peft's layout, which is added to the weights in fp32 as they are read. */
  adapter?: string;
  /** The caller has just compared the folder's files with the hashes that they were written with. Default false. */
  isChecked?: boolean;
}

/**
 * Loads a Hugging Face checkpoint folder onto the current device, one tensor at a time: as fp32, or in bf16
 * where the precision is bf16 and the model is not trained. Files that were written with their hashes are compared with them first.
 * @throws UserError naming the file and what is wrong with it.
 */
export function loadLlama(folder: string, options: LoadOptions = {}): LoadedLlama {
  if (!options.isChecked) requireSums(folder);
  const { config, rawConfig, tensors } = openModelFolder(folder);
  let adapter: Adapter | undefined;
  try {
    if (options.adapter !== undefined) adapter = readAdapter(options.adapter, config);
    const source = adapter ? mergedSource(tensors, adapter) : tensors;
    const isTrainable = options.trainable ?? true;
    const parameters = parameterSpecs(config).map(
      (spec) => new Parameter(spec.name, readTensor(source, spec, isTrainable), isTrainable),
    );
    const model = new Llama(config, parameters, options.numPositions);
    model.source = folder;
    return { model, rawConfig };
  } finally {
    adapter?.dispose();
    tensors.close();
  }
}

function readTensor(tensors: TensorSource, { name, shape }: ParameterSpec, isTrainable: boolean): tf.Tensor {
  return !isTrainable && shape.length > 1 && holdsBf16()
    ? bf16Tensor(tensors.readBf16Parts(name), shape)
    : tf.tensor(tensors.readFloat32(name), shape);
}

/**
 * The output head [V, D] of a checkpoint alone, as a frozen model has it.
 * @throws UserError as {@link loadLlama}.
 */
export function loadHead(folder: string): tf.Tensor {
  const { config, tensors } = openModelFolder(folder);
  try {
    const spec = parameterSpecs(config).find(({ name }) => name === headName(config))!;
    return tf.keep(readTensor(tensors, spec, false));
  } finally {
    tensors.close();
  }
}

/** What is written beside the weights. */
export interface SaveOptions {
  rawConfig?: Record<string, unknown>;
  /** Folder whose tokenizer files are copied. */
  tokenizerFrom?: string;
  /** Further files by name, such as a model card. */
  extraFiles?: Record<string, string>;
  /** Number format of the weights. Default float32. */
  dtype?: WeightDtype;
  /** Replace a folder that is there. Default false: refuse. */
  replace?: boolean;
}

/**
 * Writes a model in the Hugging Face layout: config, weights, generation config, tokenizer files.
 * @throws RangeError for a model with an adapter: {@link exportMerged} writes it.
 */
export async function saveLlama(model: Llama, out: string, options: SaveOptions = {}): Promise<void> {
  if (model.adapter)
    throw new RangeError(`saveLlama: expected a model without an adapter; exportMerged writes ${model.source}`);
  function* tensors(): Generator<{ name: string; shape: number[]; data: Float32Array }> {
    for (const { name, value } of model.parameters) {
      yield { name, shape: value.shape, data: value.dataSync() as Float32Array };
    }
  }
  await exportModelFolder({ config: model.config, tensors: tensors(), out, ...options });
}
