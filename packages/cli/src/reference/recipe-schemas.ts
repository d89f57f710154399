import { evalRecipeSchema } from '@lethe/eval';
import { trainRecipeSchema } from '@lethe/train';
import type { ZodType } from 'zod';
import { partialPrepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { repairSettingsSchema } from '../repair/repair-settings.js';

/** The recipes of commands. */
export const RECIPE_SCHEMAS: Record<string, ZodType> = {
  repair: repairSettingsSchema,
  prepare: partialPrepareRecipeSchema,
  ...Object.fromEntries(trainRecipeSchema.shape.stage.options.map((stage) => [stage, trainRecipeSchema])),
  eval: evalRecipeSchema,
};
