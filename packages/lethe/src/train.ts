import { type Logger, silentLogger, VERSION } from '@lethe/run';
import { runStage, type StageResult, type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { z } from 'zod';
import { checked } from './checked.js';

/** Who is told of a run. */
export interface TrainOptions {
  logger?: Logger;
}

/**
 * Trains: `stage` is `pretrain`, `unlearn`, `refine` or `finetune`; the keys are those of a recipe, with its defaults.
 * The run is in `runs/<name>/`; the same call again continues one that was broken off, and leaves a finished one alone.
 * @throws UserError on bad settings or input, naming the key or file; NonFiniteError when a loss stops being a number.
 */
export function train(recipe: z.input<typeof trainRecipeSchema>, options: TrainOptions = {}): Promise<StageResult> {
  const settings: TrainRecipe = checked(trainRecipeSchema, recipe);
  return runStage(settings, { logger: options.logger ?? silentLogger, versions: { lethe: VERSION } });
}
