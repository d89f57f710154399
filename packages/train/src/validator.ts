import { addSums, type Objective, type TermSums } from '@lethe/losses';
import type { Collectives } from '@lethe/tensor';
import type { Logger } from '@lethe/run';
import { describeMicroBatches, type MicroBatch } from './micro-batch.js';
import { NonFiniteError } from './non-finite.js';
import { NO_SUMS, sumOverRanks } from './ranks/over-ranks.js';
import { together } from './ranks/together.js';
import type { TrainRecipe } from './recipe.js';
import { evaluateBatches, protectedModel, type StepContext } from './step.js';
import { decide, heldStep, type StopDecision, type ValidationPoint } from './stop-rules.js';
import type { ValidationRows } from './validation-rows.js';

/** What `metrics.jsonl` says of one validation: the means of {@link ValidationPoint}, `perplexity` (exp of `replay`), `seconds`. */
export type ValidationRecord = Record<string, number>;

/** What a validator measures, on which rows, and whom it tells. */
export interface ValidatorSetup {
  recipe: Pick<TrainRecipe, 'validation' | 'stop' | 'steps'>;
  context: StepContext;
  rows: ValidationRows;
  /** Who shares the rows. */
  ranks: Collectives;
  logger: Logger;
}

/** Measures a model on the same held-out rows again and again, and says when a rule ends the run. */
export class Validator {
  private readonly points: ValidationPoint[];
  /** The rule that ends the run here, if one does. */
  decision?: StopDecision;
  /** The step whose checkpoint must stay. */
  heldStep?: number;

  /** @param history the validations that the run's checkpoint knows of. */
  constructor(
    private readonly setup: ValidatorSetup,
    history: readonly ValidationPoint[] = [],
  ) {
    this.points = [...history];
    this.judge();
  }

  /** Every validation so far, oldest first. */
  get history(): readonly ValidationPoint[] {
    return this.points;
  }

  /**
   * Validates the model as it is after `step` steps, where that is due and not done.
   * @throws NonFiniteError when a mean is not a number.
   */
  async after(step: number): Promise<ValidationRecord | undefined> {
    const { recipe, logger } = this.setup;
    const isDue = step % recipe.validation!.every === 0 || step === recipe.steps;
    if (!isDue || this.points.at(-1)?.step === step) return undefined;
    const started = performance.now();
    const point = await this.measure(step);
    const seconds = (performance.now() - started) / 1000;
    this.points.push(point);
    this.judge();
    logger.info(validationLine(point, this.points[0]!));
    return recordOf(point, seconds);
  }

  private judge(): void {
    const { stop } = this.setup.recipe;
    this.decision = decide(this.points, stop);
    this.heldStep = heldStep(this.points, stop);
  }

  private async measure(step: number): Promise<ValidationPoint> {
    const { context, rows } = this.setup;
    // The forgetting loss of `ga` is log p, whatever the run's own method is.
    const weights = { forgetting: 1, replay: 1, mitigation: protectedModel(context) ? 1 : 0 };
    const sums = await this.sums(step, rows.batches, weights);
    const kept = await this.sums(step, rows.kept, { ...weights, mitigation: 0 });
    return {
      step,
      ...(sums && means(sums, protectedModel(context) !== undefined)),
      ...(kept && { keptP: kept.forgetP / kept.forgetTargets, keptNll: -kept.forgetting / kept.forgetTargets }),
    };
  }

  private async sums(
    step: number,
    batches: readonly MicroBatch[],
    weights: Objective['weights'],
  ): Promise<TermSums | undefined> {
    if (batches.length === 0) return undefined;
    const { context, ranks } = this.setup;
    const measuring: StepContext = { ...context, objective: { method: 'ga', weights, reduction: 'mean' } };
    const mine = await together(ranks, async () => {
      let sums = NO_SUMS;
      for (const batch of batches.filter((_, i) => i % ranks.size === ranks.rank)) {
        const found = evaluateBatches(measuring, [batch]);
        assertMeasured(step, found, batch);
        sums = addSums(sums, found);
        // A turn of the event loop, so that signals are served.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return sums;
    });
    return sumOverRanks(mine, ranks);
  }
}

function recordOf({ step: _step, replay, ...others }: ValidationPoint, seconds: number): ValidationRecord {
  const perplexity = replay === undefined ? undefined : Math.exp(replay);
  const known = Object.entries({ replay, perplexity, ...others, seconds });
  return Object.fromEntries(known.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function means(sums: TermSums, hasOriginal: boolean): Omit<ValidationPoint, 'step'> {
  const { replay, mitigation, forgetting, forgetP, replayTargets, forgetTargets, heldTargets } = sums;
  return {
    ...(replayTargets > 0 && { replay: replay / replayTargets }),
    ...(heldTargets > 0 && hasOriginal && { mitigation: mitigation / heldTargets }),
    ...(forgetTargets > 0 && { forgetP: forgetP / forgetTargets, forgetNll: -forgetting / forgetTargets }),
  };
}

function assertMeasured(step: number, sums: TermSums, batch: MicroBatch): void {
  const bad = (['forgetting', 'replay', 'mitigation', 'forgetP'] as const).find((term) => !Number.isFinite(sums[term]));
  if (!bad) return;
  const where = `held-out batch of ${describeMicroBatches([batch])}`;
  throw new NonFiniteError(
    `validation after step ${step}: ${bad} is ${sums[bad]}; ${where}. The last checkpoint is kept. Lower optimizer.lr.`,
  );
}

function validationLine(point: ValidationPoint, start: ValidationPoint): string {
  const { step, replay, mitigation, forgetP, forgetNll, keptP, keptNll } = point;
  const change = (from: number, to: number): string => `${to < from ? '' : '+'}${(100 * (to / from - 1)).toFixed(1)}%`;
  const parts = [`validation after step ${step}:`];
  if (replay !== undefined) {
    const since = step === 0 ? '' : `, ${change(Math.exp(start.replay!), Math.exp(replay))}`;
    parts.push(`replay ${replay.toFixed(4)} (perplexity ${Math.exp(replay).toPrecision(4)}${since})`);
  }
  if (mitigation !== undefined) parts.push(`mitigation ${mitigation.toFixed(4)}`);
  if (forgetP !== undefined) parts.push(`forgetP ${forgetP.toPrecision(3)}`, `forgetNll ${forgetNll!.toFixed(4)}`);
  if (keptNll !== undefined) parts.push(`keptP ${keptP!.toPrecision(3)}`, `keptNll ${keptNll.toFixed(4)}`);
  return parts.join('  ');
}
