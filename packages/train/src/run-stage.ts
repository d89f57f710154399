import { join } from 'node:path';
import { cloneLlama, initializeLlama, type Llama, type LlamaConfig, loadLlama, type SaveOptions } from '@lethe/model';
import {
  latestCheckpoint,
  type Logger,
  openRunManifest,
  saveCheckpoint,
  type StopRequest,
  UserError,
} from '@lethe/run';
import { resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { describeData } from './describe-data.js';
import type { MicroBatch } from './micro-batch.js';
import { Optimizer } from './optimizer.js';
import type { TrainRecipe } from './recipe.js';
import { dataHash, recipeHash, requireSameRecipe } from './recipe-hash.js';
import { pinRecipe } from './pin-recipe.js';
import { endOf, missedGoal, outcomeText, saveResult } from './stage-end.js';
import { stageFolders } from './stage-folder.js';
import { openInputs } from './stage-inputs.js';
import { digestStart, requireSameStart, type StartFiles } from './start-files.js';
import type { StepContext } from './step.js';
import { openStepRecords } from './step-records.js';
import type { TrainStreams } from './streams.js';
import { type StepRecord, train, type TrainingEnd } from './trainer.js';
import { readMoments, readTrainingState, type TrainingState, writeTrainingState } from './training-state.js';
import { Validator } from './validator.js';

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
  /** The trained model in the Hugging Face layout; there when the stage has finished, and not past a limit. */
  model: string;
  /** Whether it had ended before: nothing was trained. */
  wasFinished: boolean;
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
  const ended = state && endOf(state, recipe);
  if (ended) {
    if (!ended.decision) logger.info(`${folder} is finished (${ended.step} steps); nothing to do`);
    return { ...ended, folder, model: out, wasFinished: true };
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
  const prepared = await prepareStage({ ...recipe, device }, checkpoint?.path);
  const { versions = {}, command } = options;
  const data = await describeData(recipe);
  const manifest = openRunManifest(folder, { name: recipe.name, recipe, seeds, versions, data, command });
  try {
    const end = await runLoop(recipe, prepared, { ...options, startFiles, state });
    manifest.finish(outcomeText(end, recipe));
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
  validationRows?: MicroBatch[];
  dispose(): void;
}

/** Loads models, optimizer and data. `resumeFrom` is a checkpoint folder. */
async function prepareStage(recipe: TrainRecipe, resumeFrom?: string): Promise<Prepared> {
  const { init, tokenizerFrom, config, streams, validationRows } = await openInputs(recipe);
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
  const save = { rawConfig: start?.rawConfig, tokenizerFrom };
  return { context, optimizer, save, streams, validationRows, dispose };
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

/** Trains to the end, or to a signal; at its end saves the model, unless that is past a limit. */
async function runLoop(
  recipe: TrainRecipe,
  prepared: Prepared,
  options: StageOptions & { startFiles?: StartFiles; state?: TrainingState },
): Promise<TrainingEnd> {
  const { folder, checkpoints } = stageFolders(recipe);
  const { startFiles, state, logger, stop } = options;
  if (state) logger.info(`resuming ${folder} after step ${state.step}`);
  const { context, optimizer, streams, save, validationRows: rows } = prepared;
  const validator = rows && new Validator({ recipe, context, rows, logger }, state?.validations);
  const saveStep = async (step: number): Promise<void> => {
    const hashes = { recipeHash: recipeHash(recipe), dataHash: dataHash(recipe), startFiles };
    const now = { step, ...hashes, validations: validator?.history };
    const write = (temporary: string): Promise<void> =>
      writeTrainingState(temporary, { model: context.model, optimizer, save }, now);
    await saveCheckpoint(checkpoints, step, write, { keep: recipe.checkpoint.keep, held: validator?.heldStep });
  };
  const records = openStepRecords(folder, recipe, state?.step);
  const onStep = (record: StepRecord): void => records.write(record);
  try {
    const training = { recipe, context, optimizer, streams, logger, stop, validator, onStep, save: saveStep };
    const end = await train(training, state?.step ?? 0);
    if (!end.stoppedBy && !end.decision?.isLimit) {
      await saveResult(recipe, { model: context.model, save, step: end.step, held: validator?.heldStep });
      const missed = end.decision ? undefined : missedGoal(validator?.history ?? [], recipe);
      if (missed) logger.warn(missed);
    }
    return end;
  } finally {
    records.close();
  }
}
