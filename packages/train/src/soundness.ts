import type { TermSums } from '@lethe/losses';
import { NonFiniteError } from './non-finite.js';

/** Weights that are finite and worth nothing. */
export class RuinedError extends NonFiniteError {}

/** So many times the loss of chance: far beyond what any objective, gradient ascent included, makes of natural text. */
const MOST = 10;

/** Holds the replay loss of each step against chance and against the first step that this process has computed. */
export class Soundness {
  private first: number | undefined;

  constructor(private readonly vocabSize: number) {}

  /**
   * @param step the step that computed `sums`, from weights that the steps before it left.
   * @throws RuinedError where the loss says that these weights must not replace a good checkpoint.
   */
  check(step: number, { replay, replayTargets }: TermSums): void {
    if (replayTargets === 0) return;
    const loss = replay / replayTargets;
    this.first ??= loss;
    const chance = Math.log(this.vocabSize);
    if (loss <= MOST * chance || loss <= 2 * this.first) return;
    throw new RuinedError(
      `step ${step}: the replay loss is ${loss.toPrecision(4)}, where chance is ${chance.toFixed(2)} and the first step ` +
        `had ${this.first.toFixed(2)}: the weights are finite but ruined. They are not saved, and the last good ` +
        'checkpoint, if there is one, is kept. Lower optimizer.lr, or objective.weights.forgetting.',
    );
  }
}
