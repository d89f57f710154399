import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, UserError } from '@lethe/run';
import { decisionText, runStage, type TrainRecipe } from '@lethe/train';
import { loadStageRecipe } from '../recipe/stage-recipe.js';
import type { Phases } from './phase.js';
import type { RepairRequest } from './repair-request.js';

/** A model as its scores are called. */
export type ScoredModel = 'before' | 'repaired' | 'control' | 'base';

const nameOf = (model: string, run: number): string => `finetune-${model}-${run}`;

/**
 * The recipe of one fine-tuning run of a model: the user's, with that model and a seed of the run's own in the place of its own, where and
 * how the repair computes.
 * @param run from 0: the first has the recipe's seed.
 * @throws UserError where the recipe cannot be read, or is another command's.
 */
export function finetuneRecipe(
  { finetune, out, device, precision, threads }: RepairRequest,
  { model, name, run }: { model: string; name: string; run: number },
): TrainRecipe {
  const set = [`model.init=${JSON.stringify(model)}`];
  const recipe = loadStageRecipe('finetune', { recipe: finetune!.recipe, set });
  return { ...recipe, name, runs: join(out, 'runs'), seed: recipe.seed + run, device, precision, threads };
}

/**
 * Folders of a model as it is asked: its own, or those of copies that the user's recipe fine-tunes. Of a finished run the model
 * alone stays.
 * @param name what its copies are called by: of two models never the same.
 * @returns the folders, or the signal that stopped it.
 */
export async function foldersToAsk(
  request: RepairRequest,
  { name, folder }: { name: string; folder: string },
  { phases, logger, stop }: { phases: Phases; logger: Logger; stop: StopRequest },
): Promise<string[] | StopSignal> {
  if (request.finetune === undefined) return [folder];
  const { runs } = request.finetune;
  const folders: string[] = [];
  for (let run = 0; run < runs; run++) {
    const recipe = finetuneRecipe(request, { model: folder, name: nameOf(name, run + 1), run });
    const made = join(recipe.runs, recipe.name);
    if (!phases.has(recipe.name) || !existsSync(join(made, 'model'))) {
      const began = performance.now();
      logger.info(`fine-tuning the model ${name}, run ${run + 1} of ${runs}: ${recipe.steps} steps`);
      const { stoppedBy, decision } = await runStage(recipe, { logger, stop });
      if (stoppedBy) return stoppedBy;
      if (decision?.isLimit) throw new UserError(decisionText(decision, recipe));
      phases.keep(recipe.name, { seconds: (performance.now() - began) / 1000, found: null });
    } else await phases.once(recipe.name, () => null); // for its seconds
    folders.push(join(made, 'model'));
    rmSync(join(made, 'checkpoints'), { recursive: true, force: true });
  }
  return folders;
}

/** Whether a folder in `runs/`, or what a phase found, is of fine-tuning. */
export const isOfFineTuning = (name: string): boolean => name.startsWith('finetune-');
