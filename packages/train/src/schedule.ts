import type { TrainRecipe } from './recipe.js';

/**
 * The learning rate of step 1..steps: linear warm-up, then constant, or a half cosine from the recipe's rate at the first
 * step after the warm-up towards finalLr, which the step after the last would have: every step learns.
 */
export function learningRate(step: number, recipe: Pick<TrainRecipe, 'optimizer' | 'schedule' | 'steps'>): number {
  const { lr } = recipe.optimizer;
  const { kind, warmupSteps, finalLr } = recipe.schedule;
  if (step <= warmupSteps) return (lr * step) / warmupSteps;
  if (kind === 'constant') return lr;
  const progress = Math.min((step - 1 - warmupSteps) / Math.max(recipe.steps - warmupSteps, 1), 1);
  return finalLr + 0.5 * (lr - finalLr) * (1 + Math.cos(Math.PI * progress));
}
