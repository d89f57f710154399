// An adapter's folder in peft's layout: adapter_config.json and adapter_model.safetensors, whose names begin with the two
// classes that peft wraps around a model.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { makeFolder, requireSums, writeText } from '@lethe/run';
import { Parameter } from '@lethe/tensor';
import type { LlamaConfig } from '../config.js';
import { openSafetensors, type TensorSource } from '../safetensors/reader.js';
import { SafetensorsError } from '../safetensors/safetensors-error.js';
import { createSafetensorsWriter } from '../safetensors/writer.js';
import { Adapter } from './adapter.js';
import {
  ADAPTER_CONFIG,
  type AdapterBase,
  type AdapterConfig,
  adapterConfigText,
  readAdapterConfig,
} from './adapter-config.js';
import { type AdaptedLayer, adaptedLayers, type LoraSettings } from './lora-settings.js';

/** Name of an adapter's weights. */
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

const PREFIX = 'base_model.model.';

/** Whether a folder holds an adapter. */
export const holdsAdapter = (folder: string): boolean => existsSync(join(folder, ADAPTER_CONFIG));

/** Writes an adapter into a folder, in fp32. */
export function writeAdapter(
  adapter: Adapter,
  folder: string,
  { base, ...settings }: LoraSettings & { base: AdapterBase },
): void {
  makeFolder(folder);
  const named = adapter.parameters.map(({ name, value }) => ({ name: PREFIX + name, shape: value.shape, value }));
  const writer = createSafetensorsWriter(join(folder, ADAPTER_WEIGHTS), named);
  try {
    for (const { name, shape, value } of named) writer.write({ name, shape, data: value.dataSync() as Float32Array });
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  writeText(join(folder, ADAPTER_CONFIG), adapterConfigText(settings, base));
}

/**
 * Reads a LoRA adapter of a model with this config onto the current device.
 * @throws ConfigError or SafetensorsError naming the file, and what is missing, not supported or does not fit the model; UserError
 *   naming one that is not as it was written.
 */
export function readAdapter(folder: string, config: LlamaConfig): Adapter {
  requireSums(folder);
  const described = readAdapterConfig(join(folder, ADAPTER_CONFIG));
  const file = join(folder, ADAPTER_WEIGHTS);
  if (!existsSync(file))
    throw new SafetensorsError(
      `${folder}: expected ${ADAPTER_WEIGHTS}, found none; adapters in other formats are not read`,
    );
  const source = openSafetensors(file);
  try {
    const layers = layersOf(file, source, config);
    const parameters = layers.flatMap((layer) => readLayer(file, source, { layer, rank: described.rank }));
    return new Adapter(described.factor, parameters);
  } finally {
    source.close();
  }
}

const KEY = /^base_model\.model\.(?<layer>.+)\.lora_[AB]\.weight$/;

/** The layers whose matrices a file has. @throws SafetensorsError for a tensor of something else. */
function layersOf(file: string, { tensors }: TensorSource, config: LlamaConfig): AdaptedLayer[] {
  const names = [...tensors.keys()];
  const all = adaptedLayers(config);
  const known = new Set(all.map(({ name }) => name));
  const found = new Set<string>();
  for (const name of names) {
    const layer = KEY.exec(name)?.groups!['layer'];
    if (layer === undefined || !known.has(layer)) {
      throw new SafetensorsError(
        `${file}: tensor '${name}' belongs to no linear layer of this model's ${config.numLayers} decoder layers; take the adapter of this very model`,
      );
    }
    found.add(layer);
  }
  if (found.size === 0) throw new SafetensorsError(`${file}: expected matrices of an adapter, found none`);
  return all.filter(({ name }) => found.has(name));
}

interface LayerOfFile extends Pick<AdapterConfig, 'rank'> {
  layer: AdaptedLayer;
}

function readLayer(file: string, source: TensorSource, { layer, rank }: LayerOfFile): Parameter[] {
  const [outputs, inputs] = layer.shape;
  const read = (side: 'A' | 'B', shape: number[]): Parameter => {
    const name = `${layer.name}.lora_${side}.weight`;
    const received = source.tensors.get(PREFIX + name)?.shape;
    if (received?.join() !== shape.join()) {
      throw new SafetensorsError(
        `${file}: tensor '${PREFIX + name}': expected shape [${shape.join(', ')}], received ${received ? `[${received.join(', ')}]` : 'nothing'}`,
      );
    }
    return new Parameter(name, tf.tensor(source.readFloat32(PREFIX + name), shape));
  };
  return [read('A', [rank, inputs]), read('B', [outputs, rank])];
}
