import { type Evaluation, type EvaluationPlan, evalRecipeSchema, runEvaluation } from '@lethe/eval';
import { type Logger, silentLogger } from '@lethe/run';
import type { z } from 'zod';
import { checked } from './checked.js';
import { type DeviceChoice, selectDevice } from './select-device.js';

/** The keys of a recipe of `lethe eval`; results are returned, not written. */
export type EvaluateRecipe = Omit<z.input<typeof evalRecipeSchema>, 'model' | 'out'> & { model: string };

/** Beside the recipe: where to compute, and what {@link EvaluationPlan} says. */
export interface EvaluateOptions extends DeviceChoice, Pick<EvaluationPlan, 'items' | 'withoutSandbox'> {
  logger?: Logger;
}

/**
 * Scores a model on benchmarks, with intervals; the keys are those of a recipe of `lethe eval`.
 * With `items`, a folder, an evaluation that was broken off goes on from the items that were done.
 * @throws UserError on bad settings, files or checkpoints.
 */
export async function evaluate(recipe: EvaluateRecipe, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { items, withoutSandbox = false, logger = silentLogger } = options;
  const { out: _out, ...plan } = checked(evalRecipeSchema, recipe);
  const { device } = await selectDevice(options, logger);
  return runEvaluation(
    { ...plan, model: recipe.model, withoutSandbox, ...(items === undefined ? {} : { items }), device },
    logger,
  );
}
