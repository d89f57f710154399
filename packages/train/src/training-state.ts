import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  type AdapterBase,
  createSafetensorsWriter,
  type Llama,
  type LoraSettings,
  openSafetensors,
  saveLlama,
  type SaveOptions,
  writeAdapter,
} from '@lethe/model';
import { type Checkpoint, readingProblem, UserError, writeText } from '@lethe/run';
import type { Collectives, Part } from '@lethe/tensor';
import { z } from 'zod';
import type { Optimizer } from './optimizer.js';
import { wholeMoments } from './ranks/divide-optimizer.js';
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

/** How a run saves its model: whole; of an adapter, what it is made of and the model it changes. */
export interface SaveModel extends SaveOptions {
  lora?: LoraSettings & { base: AdapterBase };
}

/** Where a checkpoint, or a run, has its adapter, in peft's layout. */
export const adapterFolder = (folder: string): string => join(folder, 'adapter');

/** Writes a resumable checkpoint into a folder: the model in the Hugging Face layout or its adapter, the optimizer, the state. */
export async function writeTrainingState(
  folder: string,
  parts: { model: Llama; optimizer: Optimizer; save: SaveModel; ranks: Collectives },
  state: TrainingState,
): Promise<void> {
  const { model, optimizer, ranks } = parts;
  const { lora, ...save } = parts.save;
  if (model.adapter && lora) writeAdapter(model.adapter, adapterFolder(folder), lora);
  else await saveLlama(model, join(folder, 'model'), save);
  await writeMoments(join(folder, MOMENTS), optimizer, ranks);
  writeText(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
}

async function writeMoments(file: string, optimizer: Optimizer, ranks: Collectives): Promise<void> {
  const layout = optimizer.parameters.flatMap(({ name, value: { shape } }) => [
    { name: `${name}.m`, shape },
    { name: `${name}.v`, shape },
  ]);
  const writer = createSafetensorsWriter(file, layout);
  try {
    for await (const { name, value } of wholeMoments(optimizer, ranks)) {
      writer.write({ name, shape: value.shape, data: value.dataSync() as Float32Array });
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** What the other ranks do while the first writes a checkpoint: they give their parts of the moments. */
export async function giveMoments(optimizer: Optimizer, ranks: Collectives): Promise<void> {
  const moments = wholeMoments(optimizer, ranks);
  while (!(await moments.next()).done) continue;
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
  const weights = [join('model', 'config.json'), join('adapter', 'adapter_config.json')];
  const whole = files.includes(weights[1]) ? weights[1] : weights[0];
  const missing = [STATE, MOMENTS, whole].find((name) => !files.includes(name));
  if (missing !== undefined) {
    throw new UserError(`${path}: expected ${missing} among the files of the manifest, found ${files.length} others`);
  }
  const state = readTrainingState(path);
  if (state.step !== step) throw new UserError(`${join(path, STATE)}: expected step ${step}, received ${state.step}`);
}

/** Loads the optimizer's moments from a checkpoint, or this process's parts of them. */
export function readMoments(folder: string, optimizer: Optimizer): void {
  const reader = openSafetensors(join(folder, MOMENTS));
  try {
    for (const parameter of optimizer.parameters) {
      const { name } = parameter;
      const { m, v } = optimizer.moments.get(name)!;
      const part = optimizer.partOf(parameter);
      for (const [suffix, variable] of Object.entries({ m, v })) {
        const whole = reader.readFloat32(`${name}.${suffix}`);
        const initial = tf.tensor(part ? valuesOf(whole, part) : whole, variable.shape);
        variable.assign(initial);
        initial.dispose();
      }
    }
  } finally {
    reader.close();
  }
}

function valuesOf(whole: Float32Array, { start, count, rest }: Part): Float32Array {
  const values = new Float32Array(count + rest);
  values.set(whole.subarray(start, start + count));
  values.set(whole.subarray(whole.length - rest), count);
  return values;
}
