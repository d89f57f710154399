import { join } from 'node:path';
import { checkpointPath, type Logger, type StopRequest, type StopSignal } from '@lethe/run';
import { runStage } from '@lethe/train';
import { mayGoOn } from './choose.js';
import { repairRecipe, type RepairRun, type RepairSetup, withoutForgetting } from './repair-recipe.js';
import type { Candidate, Tried } from './results.js';

/** A model that a setting made, and the steps it took. */
export interface Unlearned {
  steps: number;
  folder: string;
}

/** Whom training tells, who stops it, and what keeps its seconds. */
export interface Training {
  seconds: Record<string, number>;
  logger: Logger;
  stop: StopRequest;
}

/** The run of a setting's repair. */
export const unlearnName = ({ name }: Pick<Candidate, 'name'>): string => `unlearn-${name}`;
/** That of its replay alone. */
export const controlName = ({ name }: Pick<Candidate, 'name'>): string => `control-${name}`;

type Rest = Pick<RepairRun, 'steps' | 'goal' | 'isLimited'>;

async function train(
  setup: RepairSetup,
  { name, candidate, ...rest }: Rest & { name: string; candidate: Candidate },
  { seconds, logger, stop }: Training,
) {
  logger.info(`${name}: ${rest.steps} steps${rest.goal === undefined ? '' : ' at most'}`);
  const began = performance.now();
  const recipe = repairRecipe(setup, { name, candidate, ...rest });
  const result = await runStage(recipe, { logger, stop, isCompared: true });
  seconds[name] = (performance.now() - began) / 1000;
  return result;
}

/**
 * Unlearns with a setting. Its steps are those of its probe, so it goes the same way; where that fell short by its steps alone it goes
 * on to the goal, or to a limit.
 */
export async function unlearn(
  setup: RepairSetup,
  { candidate, tried, goal }: { candidate: Candidate; tried: Tried; goal: number },
  training: Training,
): Promise<Unlearned | StopSignal> {
  const name = unlearnName(candidate);
  const until = mayGoOn(tried) ? { steps: setup.plan.steps, goal, isLimited: true } : { steps: tried.steps };
  const { stoppedBy, step, decision, model } = await train(setup, { name, candidate, ...until }, training);
  if (stoppedBy) return stoppedBy;
  if (decision?.isLimit !== true) return { steps: step, folder: model };
  const steps = decision.held!;
  training.logger.info(`${name}: past a limit at step ${step}; the model of step ${steps} is taken`);
  return { steps, folder: join(checkpointPath(join(setup.runs, name, 'checkpoints'), steps), 'model') };
}

/** Replay alone for as many steps as a setting took. */
export async function replayAlone(
  setup: RepairSetup,
  { candidate, steps }: { candidate: Candidate; steps: number },
  training: Training,
): Promise<Unlearned | StopSignal> {
  const run = { name: controlName(candidate), candidate: withoutForgetting(candidate), steps };
  const { stoppedBy, model } = await train(setup, run, training);
  return stoppedBy ?? { steps, folder: model };
}
