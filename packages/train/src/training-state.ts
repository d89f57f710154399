import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors, saveLlama, type SaveOptions, type Llama, writeSafetensors } from '@lethe/model';
import { UserError } from '@lethe/run';
import type { Optimizer } from './optimizer.js';

/** What a checkpoint says beside its tensors. */
export interface TrainingState {
  /** Optimizer steps finished. */
  step: number;
  /** Hash of the parts of the recipe that decide the weights. */
  recipeHash: string;
}

/** Writes a resumable checkpoint into a folder: the model in the Hugging Face layout, the optimizer, the state. */
export async function writeTrainingState(
  folder: string,
  parts: { model: Llama; optimizer: Optimizer; save: SaveOptions },
  state: TrainingState,
): Promise<void> {
  const { model, optimizer, save } = parts;
  await saveLlama(model, folder, { ...save, dtype: 'F32' });
  await writeSafetensors(join(folder, 'optimizer.safetensors'), momentTensors(optimizer));
  writeFileSync(join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

function* momentTensors(optimizer: Optimizer): Generator<{ name: string; shape: number[]; data: Float32Array }> {
  for (const [name, { m, v }] of optimizer.moments) {
    yield { name: `${name}.m`, shape: m.shape, data: m.dataSync() as Float32Array };
    yield { name: `${name}.v`, shape: v.shape, data: v.dataSync() as Float32Array };
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
export async function readMoments(folder: string, optimizer: Optimizer): Promise<void> {
  const reader = await openSafetensors(join(folder, 'optimizer.safetensors'));
  try {
    for (const [name, { m, v }] of optimizer.moments) {
      for (const [suffix, variable] of Object.entries({ m, v })) {
        const initial = tf.tensor(await reader.read(`${name}.${suffix}`), variable.shape);
        variable.assign(initial);
        initial.dispose();
      }
    }
  } finally {
    await reader.close();
  }
}
