import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainRecipe } from './recipe.js';

// Keys that may change between a run and its continuation without changing what an uninterrupted run would compute.
const FREE_KEYS = new Set(['name', 'runs', 'threads', 'checkpoint', 'metrics']);

/** A hash of what decides the weights: everything but where and how often the run writes. */
export function recipeHash(recipe: TrainRecipe): string {
  const deciding = Object.fromEntries(Object.entries(recipe).filter(([key]) => !FREE_KEYS.has(key)));
  return createHash('sha256').update(JSON.stringify(deciding)).digest('hex');
}

/** A hash of the recipe's shards: of their indexes, which hold the SHA-256 of every shard. Missing ones are told later. */
export function dataHash({ data }: Pick<TrainRecipe, 'data'>): string {
  const hash = createHash('sha256');
  for (const { shards } of [...data.forget, ...data.replay]) {
    const index = join(shards, 'index.json');
    hash.update(existsSync(index) ? readFileSync(index) : 'none');
  }
  return hash.digest('hex');
}
