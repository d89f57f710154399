import { FORGETTING_METHODS } from '@lethe/losses';
import { UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

type Unlearning = Pick<TrainRecipe, 'stage' | 'objective'>;

/** Whether a step runs the original model over its forget rows: methods that compare with what it was. */
export const readsForgetRows = ({ stage, objective }: Unlearning): boolean =>
  stage === 'unlearn' && FORGETTING_METHODS[objective.method].needsOriginal === true;

/** Whether a step runs the original model over its replay rows: the mitigation term. */
export const readsReplayRows = ({ stage, objective }: Unlearning): boolean =>
  stage === 'unlearn' && objective.weights.mitigation > 0;

/** Whether the original model must be in memory. */
export const needsOriginal = (recipe: Unlearning): boolean => readsReplayRows(recipe) || readsForgetRows(recipe);

/** @throws UserError where the recipe's device cannot compute its method. */
export function requireMethodOnDevice({ stage, objective, device }: Unlearning & Pick<TrainRecipe, 'device'>): void {
  if (stage !== 'unlearn' || device !== 'lethe-cuda' || FORGETTING_METHODS[objective.method].kind !== 'logits') return;
  const fused = Object.entries(FORGETTING_METHODS).flatMap(([name, { kind }]) => (kind === 'logits' ? [] : [name]));
  throw new UserError(
    `objective.method: ${objective.method} needs all logits of a row, which lethe-cuda does not keep; use device: lethe-cpu, or one of ${fused.join(', ')}`,
  );
}
