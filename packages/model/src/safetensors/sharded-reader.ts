import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readingProblem, requireFile } from '@lethe/run';
import { showValue } from '../show-value.js';
import type { TensorInfo } from './header.js';
import { findDuplicateKey } from './json-duplicates.js';
import { openSafetensors, type SafetensorsFile, type TensorSource } from './reader.js';
import { SafetensorsError } from './safetensors-error.js';

/**
 * Opens the shards that a `model.safetensors.index.json` lists, as one source.
 *
 * @throws SafetensorsError naming the index or shard: not JSON, a shard that is missing, a tensor that its shard does
 * not have, that two shards have or that the index does not list.
 */
export function openShardedSafetensors(indexFile: string): TensorSource {
  const weightMap = readWeightMap(indexFile);
  const folder = dirname(indexFile);
  const shards = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const shardName of new Set(weightMap.values())) {
      const file = join(folder, shardName);
      if (!existsSync(file)) throw new SafetensorsError(`${indexFile}: the shard ${shardName} is missing`);
      shards.set(shardName, openSafetensors(file));
    }
    const tensors = collectTensors(indexFile, weightMap, shards);
    const shardOf = (name: string) => {
      const shard = shards.get(weightMap.get(name) ?? '');
      if (!shard) throw new SafetensorsError(`${indexFile}: there is no tensor '${name}'`);
      return shard;
    };
    return {
      tensors,
      readFloat32: (name) => shardOf(name).readFloat32(name),
      readBf16Parts: (name) => shardOf(name).readBf16Parts(name),
      readInt32: (name) => shardOf(name).readInt32(name),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Paths of the shards that an index lists. @throws SafetensorsError when the index cannot be read. */
export function shardFiles(indexFile: string): string[] {
  return [...new Set(readWeightMap(indexFile).values())].map((name) => join(dirname(indexFile), name));
}

function readWeightMap(indexFile: string): Map<string, string> {
  requireFile(indexFile);
  let text: string;
  let parsed: { weight_map?: unknown } | null;
  try {
    text = readFileSync(indexFile, 'utf8');
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw new SafetensorsError(`${indexFile}: cannot read the index: ${readingProblem(cause)}`, { cause });
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw new SafetensorsError(`${indexFile}: the index has the key '${duplicate}' twice`);
  const map = parsed?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new SafetensorsError(`${indexFile}: expected a 'weight_map' of tensor names to shard files`);
  }
  const entries = Object.entries(map as Record<string, unknown>);
  for (const [name, shard] of entries) {
    // A shard is a plain file name: an index must not reach outside its folder.
    if (typeof shard !== 'string' || shard !== basename(shard) || shard === '..' || shard === '') {
      const expected = `${indexFile}: tensor '${name}': expected the name of a file beside the index`;
      throw new SafetensorsError(`${expected}, received ${showValue(shard)}`);
    }
  }
  return new Map(entries as [string, string][]);
}

function collectTensors(
  indexFile: string,
  weightMap: Map<string, string>,
  shards: Map<string, SafetensorsFile>,
): Map<string, TensorInfo> {
  for (const [shardName, shard] of shards) {
    for (const name of shard.tensors.keys()) {
      const listed = weightMap.get(name);
      if (listed === shardName) continue;
      const place = listed === undefined ? 'the index does not list it' : `the index lists it in ${listed}`;
      throw new SafetensorsError(`${indexFile}: tensor '${name}' is in ${shardName}, but ${place}`);
    }
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shardName] of weightMap) {
    const info = shards.get(shardName)?.tensors.get(name);
    if (!info) throw new SafetensorsError(`${indexFile}: tensor '${name}' is not in its shard ${shardName}`);
    tensors.set(name, info);
  }
  return tensors;
}
