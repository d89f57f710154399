import { pinModel } from '@lethe/data-pipeline';
import type { Logger } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

/**
 * The recipe with the commits of models on the hub in it, so that the manifest names the very files, and a run that goes on
 * after its branch has moved is told so. The models are downloaded.
 * @throws SourceError when one cannot be had.
 */
export async function pinRecipe(recipe: TrainRecipe, logger: Logger): Promise<TrainRecipe> {
  const { init, tokenizer, reference } = recipe.model;
  const onFile = (file: string): void => logger.progress(file);
  const pinned = {
    ...(init === undefined ? {} : { init: await pinModel(init, { onFile }) }),
    ...(reference === undefined ? {} : { reference: await pinModel(reference, { onFile }) }),
    ...(tokenizer === undefined ? {} : { tokenizer: await pinModel(tokenizer, { onFile, weights: false }) }),
  };
  logger.endProgress();
  return { ...recipe, model: { ...recipe.model, ...pinned } };
}
