import { onFront } from '../sweep/pareto.js';
import type { Candidate, Choice, Tried, TriedPoint } from './results.js';

/** Natural perplexity that a setting may cost beyond replay alone, at most, to be chosen. */
const MOST_PRICE = 1.01;
/** A setting that does less beyond replay than this many times does nothing. */
const LEAST_GAIN = 1.2;
/** The part of the pattern's probability that is left when it counts as gone. */
const LEFT = 1 / 8;
/** Where a base is known its probability is the goal, within these parts of the model's own. */
const [LEAST_LEFT, MOST_LEFT] = [1 / 12, 1 / 5];

/** The mean probability of the pattern's tokens at which unlearning ends. */
export const goalOf = (start: number, base?: number): number =>
  base === undefined ? LEFT * start : Math.min(MOST_LEFT * start, Math.max(LEAST_LEFT * start, base));

/** A validation of a run. */
interface Point {
  step: number;
  forgetP: number;
  replay: number;
}

/** The validations of a short run, and the gradient norms of its terms at its first step. */
export interface ProbeRecord {
  points: Point[];
  gradients: Record<string, number>;
  /** Why it ended before its last step, where a number was not finite. */
  failed?: string;
}

/** All settings with the front of what they leave and cost, and the one to take. */
export function chosenOf(tried: readonly Tried[]): Omit<Choice, 'goal' | 'failed'> {
  const front = onFront(tried.map(({ patternP, price }) => [patternP.end / patternP.control, price]));
  return { tried: tried.map((one, i) => ({ ...one, onFront: front[i] })), ...pick(tried) };
}

/** What a setting did beside replay alone after equal steps, at the best of its steps. */
export function triedOf(
  candidate: Candidate,
  { points, gradients }: ProbeRecord,
  { control, goal }: { control: ProbeRecord; goal: number },
): Tried {
  const start = points[0];
  const path = points.slice(1).map((point): TriedPoint => {
    const beside = control.points.find(({ step }) => step === point.step)!;
    const price = Math.exp(point.replay - beside.replay);
    return { steps: point.step, patternP: point.forgetP, control: beside.forgetP, price };
  });
  const norms = Object.values(gradients).reduce((sum, norm) => sum + norm, 0);
  const { steps, patternP, control: beside, price } = bestPoint(path, goal);
  return {
    ...candidate,
    steps,
    patternP: { start: start.forgetP, end: patternP, control: beside },
    price,
    gradientShares: Object.fromEntries(Object.entries(gradients).map(([term, norm]) => [term, norm / (norms || 1)])),
    reachedGoal: patternP <= goal,
    onFront: false,
    path,
  };
}

/** A price to the fineness that decides: two of natural perplexity in a thousand; below the control's it is none. */
const cost = (price: number): number => Math.max(0, Math.round((price - 1) * 500));

/**
 * The step to end at: the first one that reaches the goal at the lowest price. What forgetting costs at first, replay gives
 * back while the pattern stays gone, so a later step may be cheaper. The last one where none reaches it.
 */
function bestPoint(path: readonly TriedPoint[], goal: number): TriedPoint {
  const reached = path.filter(({ patternP }) => patternP <= goal);
  return reached.length === 0
    ? path.at(-1)!
    : reached.reduce((best, point) => (cost(point.price) < cost(best.price) ? point : best));
}

const gainOf = ({ patternP }: Tried): number => patternP.control / patternP.end;

/**
 * The setting to take: of those that reach the goal at a bounded price the cheapest, and where that is equal one that
 * forgets the pattern only, and the sooner; where none does, the one that adds most to replay at that price.
 */
export function pick(tried: readonly Tried[]): Pick<Choice, 'chosen' | 'why'> {
  const affordable = tried.filter(({ price }) => price <= MOST_PRICE);
  const times = (one: Tried): string => `${gainOf(one).toPrecision(2)} times below replay alone`;
  const percent = ({ price }: Tried): string => `${(100 * (price - 1)).toFixed(1)}%`;
  const [cheapest] = affordable
    .filter(({ reachedGoal }) => reachedGoal)
    .sort(
      (a, b) =>
        Number(a.span === 'all') - Number(b.span === 'all') || cost(a.price) - cost(b.price) || a.steps - b.steps,
    );
  if (cheapest)
    return {
      chosen: cheapest.name,
      why: `reaches the goal, ${times(cheapest)} at ${percent(cheapest)} of natural perplexity, in ${cheapest.steps} steps`,
    };
  const [best] = [...(affordable.length > 0 ? affordable : tried)].sort((a, b) => gainOf(b) - gainOf(a));
  const short = `no setting reached the goal at that price; this one came ${times(best)} at ${percent(best)} of natural perplexity`;
  return { chosen: best.name, why: gainOf(best) < LEAST_GAIN ? `${short}: next to nothing` : short };
}
