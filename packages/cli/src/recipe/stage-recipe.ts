import { loadRecipe, UserError } from '@lethe/run';
import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import { recipePath } from './shipped-recipe.js';

/** The recipe of a training command: a file, or the one that comes with Lethe, and changes `key=value` by their flag. */
export interface RecipeSource {
  recipe?: string;
  set: string[];
  vary?: string[];
}

/** Reads a training command's recipe. @throws UserError when it is not valid, or another command's. */
export function loadStageRecipe(stage: string, { recipe: file, set, vary }: RecipeSource): TrainRecipe {
  const { recipe } = loadRecipe(file ?? recipePath(stage), trainRecipeSchema, { set, vary });
  if (recipe.stage === stage) return recipe;
  const place = file === undefined ? '' : `${file}: `;
  throw new UserError(`${place}this recipe is for \`lethe ${recipe.stage}\`, not \`lethe ${stage}\``);
}
