import type { TrainRecipe } from './recipe.js';

/** Means over the targets of the validation rows, after `step` steps; those of a role without rows are absent. */
export interface ValidationPoint {
  step: number;
  /** Negative log-likelihood of the replay rows, in nats per token. */
  replay?: number;
  /** KL divergence from the original model to this one on the replay rows, in nats per token. */
  mitigation?: number;
  /** Probability of the forget rows' targets. */
  forgetP?: number;
  /** Negative log-likelihood of the forget rows, in nats per token. */
  forgetNll?: number;
  /** Both of the kept rows. */
  keptP?: number;
  keptNll?: number;
}

/** The section `stop` of a recipe. */
export type StopRules = NonNullable<TrainRecipe['stop']>;

/** A rule that ended a run. */
export interface StopDecision {
  rule: keyof StopRules;
  step: number;
  /** Whether the model is past a limit, and so is no result; otherwise a goal is reached. */
  isLimit: boolean;
  /** The measures that decided, for people. */
  text: string;
  /** Of {@link heldStep}. */
  held?: number;
}

/**
 * The first rule that the validations of a run meet: a function of nothing else, so that a resumed run ends as an
 * uninterrupted one.
 * @param history points of all validations so far, that of step 0 first.
 */
export function decide(history: readonly ValidationPoint[], rules: StopRules = {}): StopDecision | undefined {
  for (const [i, point] of history.entries()) {
    const decision =
      limit(history[0]!, point, rules) ?? goal(point, rules) ?? stagnation(history.slice(0, i + 1), rules);
    if (decision) return { ...decision, held: heldStep(history.slice(0, i + 1), rules) };
  }
  return undefined;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))}%`;

const digits = (x: number): string => x.toPrecision(4);

/** The first limit that a validation is past; a measure that is not a number is past it. */
function limit(start: ValidationPoint, point: ValidationPoint, rules: StopRules): StopDecision | undefined {
  const { maxPerplexityRise: mostRise, maxKeptFall: mostFall } = rules;
  const { step } = point;
  const rise = Math.exp(point.replay! - start.replay!) - 1;
  if (mostRise !== undefined && !(rise <= mostRise)) {
    const [before, now] = [start, point].map(({ replay }) => digits(Math.exp(replay!)));
    const text =
      `held-out perplexity ${now} is ${percent(rise)} above the ${before} of step 0, ` +
      `and stop.maxPerplexityRise allows ${percent(mostRise)}`;
    return { rule: 'maxPerplexityRise', step, isLimit: true, text };
  }
  const fall = 1 - point.keptP! / start.keptP!;
  if (mostFall === undefined || fall <= mostFall) return undefined;
  const text =
    `the mean probability ${digits(point.keptP!)} of what is to be kept is ${percent(fall)} below the ` +
    `${digits(start.keptP!)} of step 0, and stop.maxKeptFall allows ${percent(mostFall)}`;
  return { rule: 'maxKeptFall', step, isLimit: true, text };
}

function goal({ step, forgetP }: ValidationPoint, { forgetP: wanted }: StopRules): StopDecision | undefined {
  if (wanted === undefined || forgetP! > wanted) return undefined;
  const text = `the mean probability of synthetic targets is ${forgetP!.toPrecision(3)}, and stop.forgetP is ${wanted}`;
  return { rule: 'forgetP', step, isLimit: false, text };
}

function stagnation(history: readonly ValidationPoint[], { patience }: StopRules): StopDecision | undefined {
  if (patience === undefined) return undefined;
  const best = bestValidation(history);
  const numSince = history.length - 1 - history.indexOf(best);
  if (numSince < patience) return undefined;
  const text =
    `the held-out loss ${best.replay!.toFixed(4)} of step ${best.step} is the lowest for ` +
    `${numSince} validation${numSince === 1 ? '' : 's'}, as many as stop.patience`;
  return { rule: 'patience', step: history.at(-1)!.step, isLimit: false, text };
}

/** The first validation with the lowest replay loss. */
function bestValidation(history: readonly ValidationPoint[]): ValidationPoint {
  return history.reduce((best, point) => (point.replay! < best.replay! ? point : best));
}

/**
 * The step whose checkpoint is kept whatever its age: the best one under `patience`, the last one within the limit under
 * a limit; undefined where no such rule is set or nothing was validated.
 */
export function heldStep(history: readonly ValidationPoint[], rules: StopRules = {}): number | undefined {
  if (history.length === 0) return undefined;
  if (rules.patience !== undefined) return bestValidation(history).step;
  if (rules.maxPerplexityRise === undefined && rules.maxKeptFall === undefined) return undefined;
  return history.findLast((point) => !limit(history[0]!, point, rules))?.step;
}

/** The validation of the model that a run ends with: the best under `patience`, otherwise the last. */
export const finalValidation = <P extends ValidationPoint>(
  history: readonly P[],
  rules: StopRules = {},
): P | undefined =>
  rules.patience === undefined || history.length === 0
    ? history.at(-1)
    : history.find(({ step }) => step === heldStep(history, rules));
