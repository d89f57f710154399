import {
  lockWithin,
  type Logger,
  removeOldCheckpoints,
  saveCheckpoint,
  settleRunManifest,
  silentLogger,
  type StopRequest,
} from '@lethe/run';
import type { Collectives } from '@lethe/tensor';
import { Interrupted } from './cached/take-locks.js';
import { describeData } from './describe-data.js';
import { ForgettingShare } from './forgetting-share.js';
import { spanWarnings } from './forget-span.js';
import { joinJob, whileAllWork } from './ranks/job.js';
import { requireSame } from './ranks/same-job.js';
import { requireSameWeights } from './ranks/same-weights.js';
import { requireRowsForRanks } from './ranks/share.js';
import { firstAlone, together } from './ranks/together.js';
import type { TrainRecipe } from './recipe.js';
import { recipeWarnings } from './recipe-warnings.js';
import { endOf, missedGoal, outcomeText, saveResult } from './stage-end.js';
import { stageFolders } from './stage-folder.js';
import { openStageManifest } from './stage-manifest.js';
import { factsOf, openStageRun, requireSameData, type StageRun } from './stage-run.js';
import { loadStageWork, type StageWork } from './stage-work.js';
import { openStepRecords } from './step-records.js';
import { requireSameDevice, takeDevice } from './take-device.js';
import { type StepRecord, train, type TrainingEnd } from './trainer.js';
import { giveMoments, writeTrainingState } from './training-state.js';
import { Validator } from './validator.js';

/** What a stage needs beside its recipe. */
export interface StageOptions {
  logger: Logger;
  stop?: StopRequest;
  /** The command line, for the manifest. */
  command?: string[];
  versions?: Record<string, string>;
  /** It is one of several runs that are compared, a replay-only control among them: what it forgets is judged there, not warned of. */
  isCompared?: boolean;
  /** Who shares the work: by default the job that a launcher started, or this process alone. */
  ranks?: Collectives;
}

/** Where a finished or stopped stage left its results. */
export interface StageResult extends TrainingEnd {
  folder: string;
  /** The trained model in the Hugging Face layout; there when the stage has finished, and not past a limit. */
  model: string;
  /** Whether it had ended before: nothing was trained. */
  wasFinished: boolean;
}

/** Options as the parts of a run need them. */
type Options = StageOptions & { ranks: Collectives };

/**
 * Runs one training stage from its recipe: starts it, or continues it from its newest checkpoint. A finished run is
 * left alone. Of several ranks the first one alone writes and tells; the result is the same on all.
 * @throws LockedError while another process works in its folder; UserError on bad input, naming the file or key; NonFiniteError when a loss stops being a number.
 */
export function runStage(given: TrainRecipe, options: StageOptions): Promise<StageResult> {
  const ranks = options.ranks ?? joinJob();
  const logger = ranks.rank === 0 ? options.logger : silentLogger;
  const lock = lockWithin(stageFolders(given).folder);
  return whileAllWork({ ranks, recipe: given, lock }, () => runLocked(given, { ...options, ranks, logger }));
}

async function runLocked(given: TrainRecipe, options: Options): Promise<StageResult> {
  const { logger, isCompared, ranks } = options;
  const run = await firstAlone(ranks, () => openStageRun(given, logger));
  const { recipe, folder, model } = run;
  if (ranks.size > 1) await requireSame(factsOf(run), ranks);
  const ended = await together(ranks, () => {
    requireRowsForRanks(recipe, ranks.size);
    return endOf(run);
  });
  if (ended) {
    if (ranks.rank === 0) settleRunManifest(folder, outcomeText(ended, recipe));
    if (!ended.decision) logger.info(`${folder} is finished (${ended.step} steps); nothing to do`);
    return { ...ended, folder, model, wasFinished: true };
  }
  const device = await together(ranks, () => {
    requireSameData(run);
    return takeDevice(recipe, ranks, logger);
  });
  await requireSameDevice(device, ranks);
  let work: StageWork;
  try {
    work = await loadStageWork(run, device, options);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return { step: run.resumed?.state.step ?? 0, stoppedBy: error.by, folder, model, wasFinished: false };
  }
  for (const warning of [...recipeWarnings(recipe, isCompared), ...spanWarnings(work.spans)]) logger.warn(warning);
  const data = await describeData(recipe, work.spans);
  const manifest = await openStageManifest(run, { ...options, data, device });
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

/** Trains to the end, or to a signal; at its end saves the model, unless that is past a limit. */
async function trainRun(run: StageRun, work: StageWork, options: Options): Promise<TrainingEnd> {
  const { logger, stop, isCompared = false, ranks } = options;
  const isFirst = ranks.rank === 0;
  const { recipe, folder, checkpoints, origin, resumed } = run;
  const from = resumed?.state;
  const warn = (text: string | undefined): void => void (text && logger.warn(text));
  if (from) logger.info(`resuming ${folder} after step ${from.step}`);
  const { context, optimizer, streams, save, validationRows: rows } = work;
  const validator = rows && new Validator({ recipe, context, rows, ranks, logger }, from?.validations);
  const kept = (): { keep?: number; held?: number } => ({ keep: recipe.checkpoint.keep, held: validator?.heldStep });
  if (from && isFirst) removeOldCheckpoints(checkpoints, from.step, kept());
  const records = isFirst ? openStepRecords({ folder, recipe, onDamage: warn }, from?.step) : undefined;
  const saveStep = async (step: number): Promise<void> => {
    await requireSameWeights(context.model, step, ranks);
    const state = { step, ...origin, validations: validator?.history };
    const write = (temporary: string): Promise<void> =>
      writeTrainingState(temporary, { model: context.model, optimizer, save, ranks }, state);
    records?.sync(); // who goes on from the checkpoint finds what it did before
    if (isFirst) await saveCheckpoint(checkpoints, step, write, kept());
    else await giveMoments(optimizer, ranks);
    await ranks.barrier(); // until it is there, no rank may end the job
  };
  try {
    const training = { recipe, context, optimizer, streams, ranks, logger, stop, validator, save: saveStep };
    const share = new ForgettingShare(recipe, isCompared);
    const onStep = (record: StepRecord): void => {
      records?.write(record);
      warn(share.see(record));
    };
    const end = await train({ ...training, onStep }, from?.step ?? 0);
    if (!end.stoppedBy && !end.decision?.isLimit) {
      if (isFirst) await saveResult(run, { model: context.model, save, step: end.step, held: validator?.heldStep });
      await ranks.barrier(); // the next stage may read it
      if (!end.decision) warn(missedGoal(validator?.history ?? [], recipe));
      warn(share.end());
    }
    return end;
  } finally {
    records?.close();
  }
}
