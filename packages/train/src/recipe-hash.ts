import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

// Keys that may change between a run and its continuation without changing what an uninterrupted run would compute.
const FREE_KEYS = new Set(['name', 'runs', 'threads', 'checkpoint', 'metrics']);

/** The part of a recipe that decides the weights: everything but where and how often the run writes. */
export const decidingPart = (recipe: TrainRecipe): Partial<TrainRecipe> =>
  Object.fromEntries(Object.entries(recipe).filter(([key]) => !FREE_KEYS.has(key)));

/**
 * A hash of the {@link decidingPart}, with the names of the rules of `stop` and not their numbers: a run goes on past a rule
 * that ended it when its number is changed.
 */
export function recipeHash(recipe: TrainRecipe): string {
  const part = decidingPart(recipe);
  const hashed = recipe.stop ? { ...part, stop: Object.keys(recipe.stop).sort() } : part;
  return createHash('sha256').update(JSON.stringify(hashed)).digest('hex');
}

/** @throws UserError unless the run in `folder`, whose recipe had the hash `began`, goes on with this recipe. */
export function requireSameRecipe(began: string, recipe: TrainRecipe, folder: string): void {
  if (began === recipeHash(recipe)) return;
  throw new UserError(
    `${folder} holds a run of another recipe; choose another name, or remove the folder to start again`,
  );
}

/** A hash of the recipe's shards: of their indexes, which hold the SHA-256 of every shard. Missing ones are told later. */
export function dataHash({ data, validation }: Pick<TrainRecipe, 'data' | 'validation'>): string {
  const hash = createHash('sha256');
  const validated = validation ? [...validation.forget, ...validation.replay, ...(validation.kept ?? [])] : [];
  for (const { shards } of [...data.forget, ...data.replay, ...validated]) {
    const index = join(shards, 'index.json');
    hash.update(existsSync(index) ? readFileSync(index) : 'none');
  }
  return hash.digest('hex');
}
