import { createHash } from 'node:crypto';
import type { TrainRecipe } from './recipe.js';

// Keys that may change between a run and its continuation without changing what an uninterrupted run would compute.
const FREE_KEYS = new Set(['name', 'runs', 'threads', 'checkpoint', 'metrics']);

/** A hash of what decides the weights: everything but where and how often the run writes. */
export function recipeHash(recipe: TrainRecipe): string {
  const deciding = Object.fromEntries(Object.entries(recipe).filter(([key]) => !FREE_KEYS.has(key)));
  return createHash('sha256').update(JSON.stringify(deciding)).digest('hex');
}
