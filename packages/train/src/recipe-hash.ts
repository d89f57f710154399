import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunManifest, UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';
import { differingKeys, leavesOf } from './recipe-leaves.js';

// Keys that may change between a run and its continuation without changing what an uninterrupted run would compute.
const FREE_KEYS = new Set(['name', 'runs', 'threads', 'ranks', 'checkpoint', 'metrics']);

/** The part of a recipe that decides the weights: everything but where and how often the run writes. */
export const decidingPart = (recipe: TrainRecipe): Partial<TrainRecipe> =>
  Object.fromEntries(Object.entries(recipe).filter(([key]) => !FREE_KEYS.has(key)));

/**
 * What must not change for a run to go on: the {@link decidingPart}, with the names of the rules of `stop` and not their numbers (a
 * run goes on past a rule that ended it when its number is changed), and without the number of steps where no learning rate
 * depends on it (a finished run goes on to more steps as if it had been given them from the beginning).
 */
function boundPart(recipe: TrainRecipe): object {
  const { steps, ...part } = decidingPart(recipe);
  return {
    ...part,
    ...(recipe.stop && { stop: Object.keys(recipe.stop).sort() }),
    ...(recipe.schedule.kind !== 'constant' && { steps }),
  };
}

/** A hash of what must not change for a run to go on. */
export const recipeHash = (recipe: TrainRecipe): string =>
  createHash('sha256')
    .update(JSON.stringify(boundPart(recipe)))
    .digest('hex');

/** @throws UserError naming the keys unless the run in `folder`, whose recipe had the hash `began`, goes on with this recipe. */
export function requireSameRecipe(began: string, recipe: TrainRecipe, folder: string): void {
  if (began === recipeHash(recipe)) return;
  throw new UserError(
    `${folder} holds a run of another recipe${changedKeys(recipe, folder)}; choose another name, or remove the folder to start again`,
  );
}

/** @throws UserError where the run in `folder` has finished more steps than the recipe has. */
export function requireNotPast(step: number, { steps }: Pick<TrainRecipe, 'steps'>, folder: string): void {
  if (step <= steps) return;
  throw new UserError(
    `${folder} is at step ${step}, past steps: ${steps}; give it as many steps or more, or choose another name`,
  );
}

/** Keys that are named of those that have changed. */
const MOST_NAMED = 3;

/** What has changed since a run began, as its manifest tells it; empty where there is none that can be read. */
function changedKeys(recipe: TrainRecipe, folder: string): string {
  let began: Map<string, unknown>;
  try {
    began = leavesOf(boundPart(readRunManifest(folder).recipe as TrainRecipe));
  } catch {
    return ''; // That it changed is known without it.
  }
  const now = leavesOf(boundPart(recipe));
  const shown = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
  const keys = differingKeys([began, now]);
  const named = keys
    .slice(0, MOST_NAMED)
    .map((key) => `${key} was ${shown(began.get(key))} and is ${shown(now.get(key))}`);
  const more = keys.length > MOST_NAMED ? `, and ${keys.length - MOST_NAMED} more` : '';
  const why = keys.includes('steps') ? ' (the learning rates of a cosine depend on it)' : '';
  return named.length === 0 ? '' : `: ${named.join(', ')}${more}${why}`;
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
