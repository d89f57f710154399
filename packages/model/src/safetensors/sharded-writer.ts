import { join } from 'node:path';
import { writeFileAtomically } from '@lethe/run';
import type { ParameterSpec } from '../parameter-names.js';
import { DTYPE_BITS } from './dtype.js';
import { SafetensorsError } from './safetensors-error.js';
import {
  createSafetensorsWriter,
  type NamedTensor,
  type SafetensorsWriter,
  type SafetensorsWriterOptions,
} from './writer.js';

/** Name of the weights of a model that is not sharded. */
export const WEIGHTS_FILE = 'model.safetensors';
/** Name of the list of a sharded model's files. */
export const INDEX_FILE = 'model.safetensors.index.json';

/** Tensors that come one by one, at once or later. */
export type TensorStream = Iterable<NamedTensor> | AsyncIterable<NamedTensor>;

/** How weights are written. */
export interface WeightsOptions extends SafetensorsWriterOptions {
  /** Files hold at most this many bytes of tensors (or one tensor). Default: one file. */
  maxShardBytes?: number;
}

/**
 * Writes `model.safetensors`, or shards and their index, into `folder`. The tensors may come in any order; only one is
 * held at a time.
 *
 * @throws SafetensorsError naming tensors that are missing, extra, twice there or of another shape.
 */
export async function writeWeights(
  folder: string,
  layout: readonly ParameterSpec[],
  tensors: TensorStream,
  options: WeightsOptions = {},
): Promise<void> {
  const { dtype = 'F32', maxShardBytes = Infinity } = options;
  const shards = splitLayout(layout, DTYPE_BITS[dtype] / 8, maxShardBytes);
  const names = shardNames(shards.length);
  const writers: SafetensorsWriter[] = [];
  try {
    for (const [i, shard] of shards.entries()) {
      writers.push(createSafetensorsWriter(join(folder, names[i]), shard, options));
    }
    const shardOf = new Map(shards.flatMap((shard, i) => shard.map(({ name }) => [name, i] as const)));
    for await (const tensor of tensors) {
      const shard = shardOf.get(tensor.name);
      if (shard === undefined) throw new SafetensorsError(`${folder}: tensor '${tensor.name}' was not expected`);
      writers[shard].write(tensor);
    }
    for (const writer of writers) writer.finish();
  } catch (error) {
    for (const writer of writers) writer.abort();
    throw error;
  }
  if (shards.length > 1) writeIndex(folder, shards, names, DTYPE_BITS[dtype] / 8);
}

function splitLayout(layout: readonly ParameterSpec[], bytesEach: number, maxShardBytes: number): ParameterSpec[][] {
  const shards: ParameterSpec[][] = [[]];
  let shardBytes = 0;
  for (const spec of layout) {
    const bytes = sizeOf(spec) * bytesEach;
    if (shardBytes > 0 && shardBytes + bytes > maxShardBytes) {
      shards.push([]);
      shardBytes = 0;
    }
    shards[shards.length - 1].push(spec);
    shardBytes += bytes;
  }
  return shards;
}

function shardNames(count: number): string[] {
  if (count === 1) return [WEIGHTS_FILE];
  const five = (number: number) => String(number).padStart(5, '0');
  return Array.from({ length: count }, (_, i) => `model-${five(i + 1)}-of-${five(count)}.safetensors`);
}

function writeIndex(folder: string, shards: ParameterSpec[][], names: string[], bytesEach: number): void {
  const entries = shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]] as const));
  const totalSize = shards.flat().reduce((sum, spec) => sum + sizeOf(spec) * bytesEach, 0);
  const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(entries) };
  writeFileAtomically(join(folder, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
}

const sizeOf = ({ shape }: ParameterSpec): number => shape.reduce((size, n) => size * n, 1);
