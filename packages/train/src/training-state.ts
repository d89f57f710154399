import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { createSafetensorsWriter, type Llama, openSafetensors, saveLlama, type SaveOptions } from '@lethe/model';
import { type Checkpoint, readingProblem, UserError } from '@lethe/run';
import { z } from 'zod';
import type { Optimizer } from './optimizer.js';
import type { StartFiles } from './start-files.js';
import type { ValidationPoint } from './stop-rules.js';

const STATE = 'state.json';
const MOMENTS = 'optimizer.safetensors';

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
  writeMoments(join(folder, MOMENTS), optimizer);
  writeFileSync(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
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

const point = z.looseObject({ step: z.int().min(0), replay: z.number().optional(), forgetP: z.number().optional() });
const stateSchema = z.looseObject({
  step: z.int().min(0),
  recipeHash: z.string(),
  dataHash: z.string(),
  startFiles: z.record(z.string(), z.string()).optional(),
  validations: z.array(point).optional(),
});

/** The state of a checkpoint. @throws UserError naming the file, and the key where it says something else than a state. */
export function readTrainingState(folder: string): TrainingState {
  const file = join(folder, STATE);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`${file}: cannot read the training state: ${readingProblem(cause)}`, { cause });
  }
  const parsed = stateSchema.safeParse(content);
  if (parsed.success) return content as TrainingState;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(`${file}: cannot read the training state: ${path.join('.') || 'it'}: ${message}`);
}

/**
 * Checks that a checkpoint whose files are whole is one of training, and of the step that its name says.
 * @throws UserError naming the file.
 */
export function requireTrainingState({ step, path }: Checkpoint, files: readonly string[]): void {
  const missing = [STATE, MOMENTS, join('model', 'config.json')].find((name) => !files.includes(name));
  if (missing !== undefined) {
    throw new UserError(`${path}: expected ${missing} among the files of the manifest, found ${files.length} others`);
  }
  const state = readTrainingState(path);
  if (state.step !== step) throw new UserError(`${join(path, STATE)}: expected step ${step}, received ${state.step}`);
}

/** Loads the optimizer's moments from a checkpoint. */
export function readMoments(folder: string, optimizer: Optimizer): void {
  const reader = openSafetensors(join(folder, MOMENTS));
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
