import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { createSafetensorsWriter, type Llama, openSafetensors, saveLlama, type SaveOptions } from '@lethe/model';
import { UserError } from '@lethe/run';
import type { Optimizer } from './optimizer.js';
import type { StartFiles } from './start-files.js';
import type { ValidationPoint } from './stop-rules.js';

/** What a checkpoint says beside its tensors. */
export interface TrainingState {
  /** Optimizer steps finished. */
  step: number;
  /** Hash of the parts of the recipe that decide the weights. */
  recipeHash: string;
  /** Hash of the shards it trains on. */
  dataHash: string;
  /** The model it started from; absent where that was fresh weights or on the hub. */
  startFiles?: StartFiles;
  /** The validations so far; absent where there is none. */
  validations?: readonly ValidationPoint[];
}

/** Writes a resumable checkpoint into a folder: the model in the Hugging Face layout, the optimizer, the state. */
export async function writeTrainingState(
  folder: string,
  parts: { model: Llama; optimizer: Optimizer; save: SaveOptions },
  state: TrainingState,
): Promise<void> {
  const { model, optimizer, save } = parts;
  await saveLlama(model, join(folder, 'model'), save);
  writeMoments(join(folder, 'optimizer.safetensors'), optimizer);
  writeFileSync(join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

function writeMoments(file: string, optimizer: Optimizer): void {
  const moments = [...optimizer.moments].flatMap(([name, { m, v }]) => [
    { name: `${name}.m`, variable: m },
    { name: `${name}.v`, variable: v },
  ]);
  const layout = moments.map(({ name, variable }) => ({ name, shape: variable.shape }));
  const writer = createSafetensorsWriter(file, layout);
  try {
    for (const { name, variable } of moments) {
      writer.write({ name, shape: variable.shape, data: variable.dataSync() as Float32Array });
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** The state of a checkpoint. @throws UserError naming the file when it is not one. */
export function readTrainingState(folder: string): TrainingState {
  const file = join(folder, 'state.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TrainingState;
  } catch (cause) {
    throw new UserError(`${file}: cannot read the training state: ${(cause as Error).message}`, { cause });
  }
}

/** Loads the optimizer's moments from a checkpoint. */
export function readMoments(folder: string, optimizer: Optimizer): void {
  const reader = openSafetensors(join(folder, 'optimizer.safetensors'));
  try {
    for (const [name, { m, v }] of optimizer.moments) {
      for (const [suffix, variable] of Object.entries({ m, v })) {
        const initial = tf.tensor(reader.readFloat32(`${name}.${suffix}`), variable.shape);
        variable.assign(initial);
        initial.dispose();
      }
    }
  } finally {
    reader.close();
  }
}
