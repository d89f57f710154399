import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cloneLlama,
  initializeLlama,
  type Llama,
  type LlamaConfig,
  loadLlama,
  type SaveOptions,
  saveLlama,
} from '@lethe/model';
import {
  latestCheckpoint,
  type Logger,
  openMetrics,
  openRunManifest,
  openTensorBoard,
  readMetrics,
  saveCheckpoint,
  type StopRequest,
  UserError,
} from '@lethe/run';
import { resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { describeData } from './describe-data.js';
import { Optimizer } from './optimizer.js';
import type { TrainRecipe } from './recipe.js';
import { dataHash, recipeHash, requireSameRecipe } from './recipe-hash.js';
import { pinRecipe } from './pin-recipe.js';
import { openInputs } from './stage-inputs.js';
import { digestStart, requireSameStart, type StartFiles } from './start-files.js';
import type { StepContext } from './step.js';
import type { TrainStreams } from './streams.js';
import { type StepRecord, train, type TrainingEnd } from './trainer.js';
import { readMoments, readTrainingState, writeTrainingState } from './training-state.js';

/** What a stage needs beside its recipe. */
export interface StageOptions {
  logger: Logger;
  stop?: StopRequest;
  /** The command line, for the manifest. */
  command?: string[];
  versions?: Record<string, string>;
}

/** Where a finished or stopped stage left its results. */
export interface StageResult extends TrainingEnd {
  folder: string;
  /** The trained model in the Hugging Face layout; there when the stage has finished. */
  model: string;
  wasFinished: boolean;
}

/** The folder of a run and of the model it makes. */
export function stageFolders(recipe: TrainRecipe): { folder: string; checkpoints: string; model: string } {
  const folder = join(recipe.runs, recipe.name);
  return { folder, checkpoints: join(folder, 'checkpoints'), model: join(folder, 'model') };
}

/**
 * Runs one training stage from its recipe: starts it, or continues it from its newest checkpoint. A finished run is
 * left alone.
 * @throws UserError on bad input, naming the file or key; NonFiniteError when a loss stops being a number.
 */
export async function runStage(given: TrainRecipe, options: StageOptions): Promise<StageResult> {
  const { logger } = options;
  const recipe = await pinRecipe(given, logger);
  const { folder, checkpoints, model: out } = stageFolders(recipe);
  const { checkpoint, warnings } = latestCheckpoint(checkpoints);
  for (const warning of warnings) logger.warn(warning);
  const state = checkpoint && readTrainingState(checkpoint.path);
  if (state) requireSameRecipe(state.recipeHash, recipe, folder);
  const startFiles = digestStart(recipe);
  if (state?.startFiles && startFiles) {
    requireSameStart({ began: state.startFiles, now: startFiles }, recipe.model.init!, folder);
  }
  if (state?.step === recipe.steps && existsSync(join(out, 'config.json'))) {
    logger.info(`${folder} is finished (${state.step} steps); nothing to do`);
    return { step: state.step, folder, model: out, wasFinished: true };
  }
  if (state && state.dataHash !== dataHash(recipe)) {
    throw new UserError(
      `the shards of ${folder} have changed since it began; restore them, choose another name, or remove the folder to start again`,
    );
  }
  if (recipe.threads) setNumThreads(recipe.threads);
  const { device, reason } = await useDevice(recipe.device, recipe.precision);
  if (reason) logger.warn(`${recipe.device} takes ${device}: ${reason}`);
  resetPeakMemory(); // An earlier run of this process had its own.
  const seeds = { seed: recipe.seed };
  const resumed = checkpoint && { ...checkpoint, step: state!.step };
  const prepared = await prepareStage({ ...recipe, device }, resumed?.path);
  const { versions = {}, command } = options;
  const data = await describeData(recipe);
  const manifest = openRunManifest(folder, { name: recipe.name, recipe, seeds, versions, data, command });
  try {
    const end = await runLoop(recipe, prepared, { ...options, startFiles, startStep: resumed?.step ?? 0 });
    if (!end.stoppedBy) await saveLlama(prepared.context.model, out, { ...prepared.save, replace: true });
    manifest.finish(end.stoppedBy ? `stopped by ${end.stoppedBy}` : 'finished');
    return { ...end, folder, model: out, wasFinished: false };
  } catch (error) {
    manifest.finish(`failed: ${(error as Error).message}`);
    throw error;
  } finally {
    prepared.dispose();
  }
}

interface Prepared {
  context: StepContext;
  optimizer: Optimizer;
  save: SaveOptions;
  streams: TrainStreams;
  dispose(): void;
}

/** Loads models, optimizer and data. `resumeFrom` is a checkpoint folder. */
async function prepareStage(recipe: TrainRecipe, resumeFrom?: string): Promise<Prepared> {
  const { init, tokenizerFrom, config, streams } = await openInputs(recipe);
  const start = init ? loadLlama(init) : undefined;
  const { mitigation } = recipe.objective.weights;
  const needsOriginal = recipe.stage === 'unlearn' && mitigation > 0;
  const original = needsOriginal ? cloneLlama(start!.model) : undefined;
  const model = startModel(recipe, { start: start?.model, config, resumeFrom });
  const optimizer = new Optimizer(model.parameters, recipe.optimizer);
  if (resumeFrom) readMoments(resumeFrom, optimizer);
  const weights = recipe.stage === 'unlearn' ? recipe.objective.weights : { forgetting: 0, replay: 1, mitigation: 0 };
  const context = { model, original, objective: { ...recipe.objective, weights }, recompute: recipe.model.recompute };
  const dispose = (): void => {
    optimizer.dispose();
    model.dispose();
    original?.dispose();
  };
  return { context, optimizer, save: { rawConfig: start?.rawConfig, tokenizerFrom }, streams, dispose };
}

interface StartFrom {
  start?: Llama;
  config: LlamaConfig;
  resumeFrom?: string;
}

function startModel(recipe: TrainRecipe, { start, config, resumeFrom }: StartFrom): Llama {
  if (!resumeFrom) return start ?? initializeLlama(config, recipe.seed);
  start?.dispose();
  return loadLlama(join(resumeFrom, 'model')).model;
}

async function runLoop(
  recipe: TrainRecipe,
  prepared: Prepared,
  options: StageOptions & { startFiles?: StartFiles; startStep: number },
): Promise<TrainingEnd> {
  const { folder, checkpoints } = stageFolders(recipe);
  const { startFiles, startStep, logger, stop } = options;
  if (startStep > 0) logger.info(`resuming ${folder} after step ${startStep}`);
  const metrics = openMetrics(join(folder, 'metrics.jsonl'), startStep + 1);
  const board = openTensorBoard(join(folder, 'tensorboard'), startStep + 1);
  const { context, optimizer, streams, save } = prepared;
  const onStep = (record: StepRecord): void => {
    if (record.step % recipe.metrics.every !== 0 && record.step !== recipe.steps) return;
    metrics.write(record);
    const numbers = Object.entries(record).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'step',
    );
    board.scalars(record.step, Object.fromEntries(numbers));
  };
  const saveStep = async (step: number): Promise<void> => {
    const state = { step, recipeHash: recipeHash(recipe), dataHash: dataHash(recipe), startFiles };
    const write = (temporary: string): Promise<void> =>
      writeTrainingState(temporary, { model: context.model, optimizer, save }, state);
    await saveCheckpoint(checkpoints, step, write, { keep: recipe.checkpoint.keep });
  };
  try {
    return await train({ recipe, context, optimizer, streams, logger, stop, onStep, save: saveStep }, startStep);
  } finally {
    metrics.close();
    board.close();
  }
}

/** The metrics of a run, for tables and figures. */
export function stageMetrics(folder: string): ReturnType<typeof readMetrics> {
  const file = join(folder, 'metrics.jsonl');
  return existsSync(file) && readFileSync(file).length > 0 ? readMetrics(file) : [];
}
