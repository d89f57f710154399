import { FORGETTING_METHODS } from '@lethe/losses';
import type { TrainRecipe } from './recipe.js';
import { digestOf } from './same-shards.js';
import { isEverPositive, mostOf } from './weight-schedule.js';

/**
 * What a recipe allows and its author may not mean. Reads the indexes of shards.
 * @param isControl a run that is to forget nothing: replay alone.
 */
export function recipeWarnings(recipe: TrainRecipe, isControl = false): string[] {
  return [...weightWarnings(recipe, isControl), ...dataWarnings(recipe)];
}

function weightWarnings({ stage, objective }: TrainRecipe, isControl: boolean): string[] {
  if (stage !== 'unlearn') return [];
  const { method, weights } = objective;
  if (!isEverPositive(weights.forgetting))
    return isControl ? [] : ['objective.weights.forgetting is 0: nothing is forgotten'];
  const [forgetting, replay] = [mostOf(weights.forgetting), mostOf(weights.replay)];
  if (!FORGETTING_METHODS[method].isUnbounded || forgetting <= replay) return [];
  return [
    `objective.method ${method} has no lower bound, and weighs ${forgetting} against ${replay} of replay: it will outgrow every other term and ruin the model; lower objective.weights.forgetting (0.01 by default), or take a bounded method such as complement`,
  ];
}

function dataWarnings({ data, validation }: TrainRecipe): string[] {
  const warnings: string[] = [];
  const trained = new Map<string, string>();
  for (const role of ['replay', 'forget'] as const) {
    const seen = new Set<string>();
    for (const { shards } of data[role]) {
      const digest = digestOf(shards);
      if (seen.has(digest))
        warnings.push(`data.${role} holds the shards of ${shards} more than once: their rows count as often`);
      seen.add(digest);
      trained.set(digest, `data.${role}`);
    }
  }
  for (const role of ['replay', 'forget'] as const)
    for (const { shards } of validation?.[role] ?? []) {
      const where = trained.get(digestOf(shards));
      if (where)
        warnings.push(`validation.${role}: ${shards} is in ${where} as well, so that it measures what is trained on`);
    }
  return warnings;
}
