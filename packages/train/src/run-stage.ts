import { lockWithin, type Logger, openRunManifest, saveCheckpoint, type StopRequest, whileLocked } from '@lethe/run';
import { type DeviceName, resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { describeData } from './describe-data.js';
import { ForgettingShare } from './forgetting-share.js';
import { spanWarnings } from './forget-span.js';
import type { TrainRecipe } from './recipe.js';
import { recipeWarnings } from './recipe-warnings.js';
import { endOf, missedGoal, outcomeText, saveResult } from './stage-end.js';
import { stageFolders } from './stage-folder.js';
import { openStageRun, requireSameData, type StageRun } from './stage-run.js';
import { loadStageWork, type StageWork } from './stage-work.js';
import { openStepRecords } from './step-records.js';
import { type StepRecord, train, type TrainingEnd } from './trainer.js';
import { writeTrainingState } from './training-state.js';
import { Validator } from './validator.js';

/** What a stage needs beside its recipe. */
export interface StageOptions {
  logger: Logger;
  stop?: StopRequest;
  /** The command line, for the manifest. */
  command?: string[];
  versions?: Record<string, string>;
  /** It is meant to forget nothing: the replay-only control of another run. */
  isControl?: boolean;
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
 * @throws LockedError while another process works in its folder; UserError on bad input, naming the file or key; NonFiniteError when a loss stops being a number.
 */
export function runStage(given: TrainRecipe, options: StageOptions): Promise<StageResult> {
  return whileLocked(lockWithin(stageFolders(given).folder), () => runLocked(given, options));
}

async function runLocked(given: TrainRecipe, options: StageOptions): Promise<StageResult> {
  const { logger, versions = {}, command, isControl } = options;
  const run = await openStageRun(given, logger);
  const { recipe, folder, model } = run;
  const ended = endOf(run);
  if (ended) {
    if (!ended.decision) logger.info(`${folder} is finished (${ended.step} steps); nothing to do`);
    return { ...ended, folder, model, wasFinished: true };
  }
  requireSameData(run);
  const work = await loadStageWork(run, await takeDevice(recipe, logger));
  const { name, seed } = recipe;
  for (const warning of [...recipeWarnings(recipe, isControl), ...spanWarnings(work.spans)]) logger.warn(warning);
  const data = await describeData(recipe, work.spans);
  const onDamage = (warning: string): void => logger.warn(warning);
  const manifest = openRunManifest(folder, { name, recipe, seeds: { seed }, versions, data, command, onDamage });
  try {
    const end = await trainRun(run, work, options);
    manifest.finish(outcomeText(end, recipe));
    return { ...end, folder, model, wasFinished: false };
  } catch (error) {
    manifest.finish(`failed: ${(error as Error).message}`);
    throw error;
  } finally {
    work.dispose();
  }
}

/** Makes the recipe's device current. */
async function takeDevice({ threads, device: wanted, precision }: TrainRecipe, logger: Logger): Promise<DeviceName> {
  if (threads) setNumThreads(threads);
  const { device, reason } = await useDevice(wanted, precision);
  if (reason) logger.warn(`${wanted} takes ${device}: ${reason}`);
  resetPeakMemory(); // An earlier run of this process had its own.
  return device;
}

/** Trains to the end, or to a signal; at its end saves the model, unless that is past a limit. */
async function trainRun(run: StageRun, work: StageWork, options: StageOptions): Promise<TrainingEnd> {
  const { logger, stop, isControl = false } = options;
  const { recipe, folder, checkpoints, origin, resumed } = run;
  const from = resumed?.state;
  const warn = (text: string | undefined): void => void (text && logger.warn(text));
  if (from) logger.info(`resuming ${folder} after step ${from.step}`);
  const { context, optimizer, streams, save, validationRows: rows } = work;
  const validator = rows && new Validator({ recipe, context, rows, logger }, from?.validations);
  const saveStep = async (step: number): Promise<void> => {
    const state = { step, ...origin, validations: validator?.history };
    const write = (temporary: string): Promise<void> =>
      writeTrainingState(temporary, { model: context.model, optimizer, save }, state);
    await saveCheckpoint(checkpoints, step, write, { keep: recipe.checkpoint.keep, held: validator?.heldStep });
  };
  const records = openStepRecords({ folder, recipe, onDamage: (warning) => logger.warn(warning) }, from?.step);
  try {
    const training = { recipe, context, optimizer, streams, logger, stop, validator, save: saveStep };
    const share = new ForgettingShare(recipe, isControl);
    const onStep = (record: StepRecord): void => {
      records.write(record);
      warn(share.see(record));
    };
    const end = await train({ ...training, onStep }, from?.step ?? 0);
    if (!end.stoppedBy && !end.decision?.isLimit) {
      await saveResult(run, { model: context.model, save, step: end.step, held: validator?.heldStep });
      if (!end.decision) warn(missedGoal(validator?.history ?? [], recipe));
      warn(share.end());
    }
    return end;
  } finally {
    records.close();
  }
}
