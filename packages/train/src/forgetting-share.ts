import type { TermWeights } from '@lethe/losses';
import type { TrainRecipe } from './recipe.js';
import type { StepRecord } from './trainer.js';
import { isEverPositive } from './weight-schedule.js';

/**
 * Below this share of the terms' gradient norms the forgetting term does next to nothing that replay alone does not: the paper's
 * weights have 0.016 to 0.026 on four models, and take less than a hundredth from the pattern's probability in 40 steps; a share of
 * 0.14 takes a third and more (docs/log/2026-11-29-repair.md).
 */
const LEAST = 0.05;

/** Watches the share that forgetting has in the gradients of a run, as often as the run measures them. */
export class ForgettingShare {
  private first: { step: number; share: number } | undefined;
  private last: { step: number; share: number } | undefined;

  private readonly isWatched: boolean;

  /** @param isCompared one of several runs that are compared: there is nothing to watch. */
  constructor({ stage, objective }: Pick<TrainRecipe, 'stage' | 'objective'>, isCompared: boolean) {
    this.isWatched = stage === 'unlearn' && !isCompared && isEverPositive(objective.weights.forgetting);
  }

  /** @returns what to tell of the first share that a run measures; nothing where the share is large enough, or was told. */
  see({ step, termGradientNorms }: StepRecord): string | undefined {
    const norms = termGradientNorms as Record<keyof TermWeights, number> | undefined;
    if (!this.isWatched || norms === undefined) return undefined;
    const sum = norms.forgetting + norms.replay + norms.mitigation;
    const share = sum > 0 ? norms.forgetting / sum : 0;
    this.last = { step, share };
    if (this.first) return undefined;
    this.first = this.last;
    if (share >= LEAST) return undefined;
    return (
      `the forgetting term has ${percent(share)} of the gradient at step ${step}: what it does beside replay will hardly be seen; ` +
      'raise objective.weights.forgetting'
    );
  }

  /** What to tell at the end of a run whose forgetting term had next to no share throughout. */
  end(): string | undefined {
    const { first, last } = this;
    if (!first || !last || Math.max(first.share, last.share) >= LEAST) return undefined;
    const then = last === first ? '' : ` and ${percent(last.share)} at step ${last.step}`;
    return (
      `the forgetting term had ${percent(first.share)} of the gradient at step ${first.step}${then}: ` +
      'hold the result against the same run with objective.weights.forgetting=0 before you call it unlearning'
    );
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
