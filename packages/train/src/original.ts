import { FORGETTING_METHODS } from '@lethe/losses';
import { countParameters, type LlamaConfig } from '@lethe/model';
import { UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';
import { isEverPositive } from './weight-schedule.js';

type Unlearning = Pick<TrainRecipe, 'stage' | 'objective'>;

/** Whether a step runs the original model over its forget rows: methods that compare with what it was. */
export const readsForgetRows = ({ stage, objective }: Unlearning): boolean =>
  stage === 'unlearn' && FORGETTING_METHODS[objective.method].needsOriginal === true;

/** Whether a step runs the original model over its replay rows: the mitigation term. */
export const readsReplayRows = ({ stage, objective }: Unlearning): boolean =>
  stage === 'unlearn' && isEverPositive(objective.weights.mitigation);

/** The share of the replay rows that the mitigation term holds, of a run that has one. */
export function heldShare({ data: { replay } }: Pick<TrainRecipe, 'data'>): number {
  const sum = (parts: typeof replay): number => parts.reduce((total, { proportion }) => total + proportion, 0);
  return sum(replay.filter(({ held }) => held !== false)) / sum(replay);
}

/** Whether a run compares with the original model: not where another model is the reference of the mitigation term. */
export const needsOriginal = (recipe: Unlearning & { model?: Pick<TrainRecipe['model'], 'reference'> }): boolean =>
  (readsReplayRows(recipe) && recipe.model?.reference === undefined) || readsForgetRows(recipe);

/** Frozen models of a run: the original, and the reference of the mitigation term. */
export const numFrozen = (recipe: Unlearning & Pick<TrainRecipe, 'model'>): number =>
  Number(needsOriginal(recipe)) + Number(readsReplayRows(recipe) && recipe.model.reference !== undefined);

/**
 * Parameters of frozen models in memory beside the trained one: where they ran before, their heads alone; under an adapter the
 * original is what it lies over, and takes nothing.
 */
export function frozenParameters(recipe: Unlearning & Pick<TrainRecipe, 'model'>, config: LlamaConfig): number {
  const { original, lora } = recipe.model;
  if (original === 'cached') return numFrozen(recipe) * config.vocabSize * config.hiddenSize;
  return (numFrozen(recipe) - Number(lora !== undefined && needsOriginal(recipe))) * countParameters(config);
}

/** @throws UserError where the recipe's device cannot compute its method. */
export function requireMethodOnDevice({ stage, objective, device }: Unlearning & Pick<TrainRecipe, 'device'>): void {
  if (stage !== 'unlearn' || device !== 'lethe-cuda' || FORGETTING_METHODS[objective.method].kind !== 'logits') return;
  const fused = Object.entries(FORGETTING_METHODS).flatMap(([name, { kind }]) => (kind === 'logits' ? [] : [name]));
  throw new UserError(
    `objective.method: ${objective.method} needs all logits of a row, which lethe-cuda does not keep; use device: lethe-cpu, or one of ${fused.join(', ')}`,
  );
}
