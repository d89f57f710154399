import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listCheckpoints, type Logger, readRunManifest } from '@lethe/run';
import { pinRecipe } from './pin-recipe.js';
import type { TrainRecipe } from './recipe.js';
import { recipeHash, requireNotPast, requireSameRecipe } from './recipe-hash.js';
import { stageFolders } from './stage-folder.js';
import { openInputs } from './stage-inputs.js';

/**
 * Checks what can be known of a run before it starts: that its folder holds no run of another recipe or of more steps, and that model,
 * tokenizer and shards are there and fit. Loads no weights and leaves the run's folder as it is.
 * @returns the recipe with the commits of models on the hub in it.
 * @throws UserError naming the file or key.
 */
export async function checkStage(given: TrainRecipe, logger: Logger): Promise<TrainRecipe> {
  const recipe = await pinRecipe(given, logger);
  const { folder, checkpoints, model } = stageFolders(recipe);
  const saved = listCheckpoints(checkpoints);
  if (saved.length > 0) {
    requireSameRecipe(recipeHash(readRunManifest(folder).recipe as TrainRecipe), recipe, folder);
    requireNotPast(saved.at(-1)!.step, recipe, folder);
  }
  if (!existsSync(join(model, 'config.json'))) await openInputs(recipe);
  return recipe;
}
