import { FORGETTING_METHODS } from '@lethe/losses';
import { frozenReads } from './cached/cache-estimate.js';
import { numFrozen } from './original.js';
import type { TrainRecipe } from './recipe.js';
import { type Reads, readsOf } from './reads.js';
import { digestOf } from './same-shards.js';
import { isEverPositive, mostOf } from './weight-schedule.js';

/**
 * What a recipe allows and its author may not mean. Reads the indexes of shards.
 * @param isCompared one of several runs that are compared: that it forgets nothing is meant.
 */
export function recipeWarnings(recipe: TrainRecipe, isCompared = false): string[] {
  return [
    ...weightWarnings(recipe, isCompared),
    ...scheduleWarnings(recipe),
    ...dataWarnings(recipe),
    ...originalWarnings(recipe, isCompared),
    ...readsOf(recipe)
      .filter(({ times }) => times > MOST_READS)
      .map(readWarning),
  ];
}

/** Text that is read more often is learned by heart, or forgotten to the last word. */
const MOST_READS = 20;

const readWarning = ({ role, shards, tokens, times }: Reads): string =>
  `data.${role}: ${shards} holds ${tokens.toLocaleString('en')} tokens and is read about ${Math.round(times)} times; ` +
  (role === 'replay' ? 'give more text, or fewer steps' : 'give fewer steps, and let stop.forgetP end the run');

function scheduleWarnings({ schedule, steps }: TrainRecipe): string[] {
  const { warmupSteps } = schedule;
  if (warmupSteps < steps) return [];
  return [
    `schedule.warmupSteps ${warmupSteps} of ${steps} steps: the learning rate rises to the end, and nothing is trained at optimizer.lr but the last step; lower it`,
  ];
}

function originalWarnings(recipe: TrainRecipe, isCompared: boolean): string[] {
  if (recipe.model.original !== 'cached') return [];
  if (numFrozen(recipe) === 0)
    return ['model.original: cached does nothing here: no term of this run compares with a frozen model'];
  const { rows, reads } = frozenReads(recipe);
  if (isCompared || reads > rows) return [];
  return [
    'model.original: cached costs more than live here: no row is read twice, so that each is computed once either way, and here written to disk besides; it spares memory, and pays where other runs read the same rows',
  ];
}

function weightWarnings({ stage, objective }: TrainRecipe, isCompared: boolean): string[] {
  if (stage !== 'unlearn') return [];
  const { method, weights } = objective;
  if (!isEverPositive(weights.forgetting))
    return isCompared ? [] : ['objective.weights.forgetting is 0: nothing is forgotten'];
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
