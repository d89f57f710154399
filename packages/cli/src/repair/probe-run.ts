import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger, StopRequest, StopSignal } from '@lethe/run';
import { NonFiniteError, runStage, stageRecords, stageValidations, type TrainRecipe } from '@lethe/train';
import type { ProbeRecord } from './choose.js';
import type { Phases } from './phase.js';

/** Whom short runs tell, who stops them, and where what they found is kept. */
export interface Probing {
  phases: Phases;
  logger: Logger;
  stop: StopRequest;
}

/** Ends a phase without a record of it. */
export class Stopped extends Error {
  constructor(readonly by: StopSignal) {
    super(`stopped by ${by}`);
  }
}

/** What `find` gives, or the signal that stopped one of its runs. */
export async function unlessStopped<T>(find: () => Promise<T>): Promise<T | StopSignal> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof Stopped) return error.by;
    throw error;
  }
}

/**
 * A run of which only its validations are of use: its weights are deleted. One that ends in a number that is not finite has
 * `failed`. @throws Stopped at a signal.
 */
export async function probeRun(recipe: TrainRecipe, { logger, stop }: Omit<Probing, 'phases'>): Promise<ProbeRecord> {
  const folder = join(recipe.runs, recipe.name);
  let failed: string | undefined;
  try {
    const { stoppedBy } = await runStage(recipe, { logger, stop, isCompared: true });
    if (stoppedBy) throw new Stopped(stoppedBy);
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    failed = error.message;
    logger.warn(`${recipe.name} failed: ${failed}`);
  }
  const first = stageRecords(folder).find(({ step }) => step === 1);
  for (const part of ['checkpoints', 'model']) rmSync(join(folder, part), { recursive: true, force: true });
  return {
    points: stageValidations(folder).map(({ step, forgetP, replay, keptP }) => ({
      step,
      forgetP: forgetP!,
      replay: replay!,
      ...(keptP !== undefined && { keptP }),
    })),
    gradients: (first?.termGradientNorms ?? {}) as Record<string, number>,
    ...(failed !== undefined && { failed }),
  };
}
