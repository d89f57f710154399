import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError, UserError } from '@lethe/run';
import { checkStage, decidingPart, type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { Logger } from '@lethe/run';
import { loadStageRecipe } from '../recipe/stage-recipe.js';
import { combinationsOf } from './grid.js';
import { readVariations, type Variation } from './variation.js';

/** What the user asked for. */
export interface SweepRequest {
  stage: string;
  recipe?: string;
  set: string[];
  vary: string[];
  sweep?: string;
  name?: string;
}

/** One run of a sweep. */
export interface PlannedRun {
  recipe: TrainRecipe;
  /** Its `key=value`. */
  vary: string[];
  /** The command line that makes the same run by itself. */
  command: string[];
}

/** Every run of a sweep, and the folder that holds them. */
export interface SweepPlan {
  folder: string;
  variations: Variation[];
  runs: PlannedRun[];
}

/** Every combination as a recipe, all of them validated. @throws UserError naming the flag that is wrong. */
export function planSweep(request: SweepRequest): SweepPlan {
  const { stage, recipe: file, set } = request;
  const base = loadStageRecipe(stage, { recipe: file, set });
  const variations = readVariations({ vary: request.vary, set, file: request.sweep });
  const folder = join(base.runs, sweepName(request.name ?? `${base.name}-sweep`));
  if (existsSync(join(folder, 'manifest.json'))) {
    throw new UserError(`${folder} is the folder of a run; choose another name for the sweep: --name NAME`);
  }
  const runs = combinationsOf(variations).map(({ name, vary }) => {
    const recipe = { ...loadStageRecipe(stage, { recipe: file, set, vary }), runs: folder, name };
    const changes = [...set, ...vary, `runs=${folder}`, `name=${name}`].flatMap((change) => ['--set', change]);
    return { recipe, vary, command: ['lethe', stage, ...(file === undefined ? [] : ['--recipe', file]), ...changes] };
  });
  requireDifferent(runs);
  return { folder, variations, runs };
}

function sweepName(name: string): string {
  const checked = trainRecipeSchema.shape.name.safeParse(name);
  if (checked.success) return name;
  throw new UsageError(`--name ${name}: expected ${checked.error.issues[0].message}`);
}

const flagsOf = ({ vary }: PlannedRun): string => vary.map((change) => `--vary ${change}`).join(' ');

/** Different values can mean one and the same run: those of `threads` do, or a default beside nothing. */
function requireDifferent(runs: readonly PlannedRun[]): void {
  const seen = new Map<string, PlannedRun>();
  for (const run of runs) {
    const deciding = JSON.stringify(decidingPart(run.recipe));
    const other = seen.get(deciding);
    if (other) throw new UserError(`${flagsOf(run)}: computes the same as ${flagsOf(other)}; take one of them away`);
    seen.set(deciding, run);
  }
}

/**
 * Checks the model, data and folder of every run before the first begins.
 * @returns the plan with the commits of models on the hub in its recipes.
 * @throws UserError naming the flags of the run that cannot be.
 */
export async function checkSweep(plan: SweepPlan, logger: Logger): Promise<SweepPlan> {
  const runs: PlannedRun[] = [];
  for (const run of plan.runs) {
    try {
      runs.push({ ...run, recipe: await checkStage(run.recipe, logger) });
    } catch (error) {
      const { message } = error as Error;
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${flagsOf(run)}: ${message}`, { cause: error });
    }
  }
  return { ...plan, runs };
}
