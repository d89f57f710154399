import { onFront } from '../sweep/pareto.js';
import { MOST_FALL } from './repair-recipe.js';
import type { Candidate, Choice, Tried, TriedPoint } from './results.js';

/**
 * Natural perplexity that a setting may cost beyond replay alone, at most, to be chosen; the second where none is enough at the first.
 * The verdict allows 2%, its interval included, on other text.
 */
const PRICES = [1.01, 1.017] as const;
const MOST_PRICE = PRICES[1];
/** A setting that comes so many times below replay alone is enough for the verdict. */
const ENOUGH = 3;
/** A setting that does less beyond replay than this many times does nothing. */
const LEAST_GAIN = 1.2;
/** Settings that do at least this part of what the best one does beyond replay, as logarithms, do as much: the cheaper one is taken. */
const NEARLY = 0.8;
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
  /** Mean probability of what the synthetic text says; absent where that is next to nothing. */
  keptP?: number;
}

/** The validations of a short run, and the gradient norms of its terms at its first step. */
export interface ProbeRecord {
  points: Point[];
  gradients: Record<string, number>;
  /** Why it ended before its last step, where a number was not finite. */
  failed?: string;
}

/** A setting's short run, and that of replay alone at its learning rate. */
export interface Trial {
  candidate: Candidate;
  record: ProbeRecord;
  control: ProbeRecord;
}

/** Whether a setting does enough for the verdict, at a bounded cost. */
const isEnough = (one: Tried, most: number = MOST_PRICE): boolean => isAffordable(one, most) && gainOf(one) >= ENOUGH;

/** Whether any setting does enough for the verdict. */
export const isAnyEnough = (trials: readonly Trial[], goal: number): boolean =>
  trials.some(({ candidate, record, control }) => isEnough(triedOf(candidate, record, { control, goal })));

/** The settings whose models are asked: those that do enough in the steps they were tried for, and the one that is chosen; so many at most. */
export function finalistsOf({ tried, chosen }: Choice, most: number): Tried[] {
  const isChosen = ({ name }: Tried): boolean => name === chosen;
  const others = tried.filter((one) => !isChosen(one) && isEnough(one));
  const kept = new Set([...tried.filter(isChosen), ...others].slice(0, most));
  return tried.filter((one) => kept.has(one));
}

/** All settings with the front of what they leave and cost, and the one to take: at the lower price where that is enough. */
export function chosenOf(trials: readonly Trial[], goal: number): Omit<Choice, 'goal' | 'failed'> {
  const [low, most] = PRICES.map((price) => {
    const tried = trials.map(({ candidate, record, control }) => triedOf(candidate, record, { control, goal, price }));
    return { tried, ...pick(tried, price) };
  });
  const cheap = low.tried.find(({ name }) => name === low.chosen)!;
  const isCheap = isEnough(cheap, PRICES[0]);
  const { chosen, why } = isCheap ? low : most;
  const tried = low.tried.map((one, i) =>
    (one.name === chosen ? isCheap : isEnough(one, PRICES[0])) ? one : most.tried[i],
  );
  const front = onFront(tried.map(({ patternP, price, kept }) => [patternP.end / patternP.control, price, -kept]));
  return { tried: tried.map((one, i) => ({ ...one, onFront: front[i] })), chosen, why, asked: null };
}

/** What a setting did beside replay alone after equal steps, at the best of its steps. */
export function triedOf(
  candidate: Candidate,
  { points, gradients }: ProbeRecord,
  { control, goal, price: most = MOST_PRICE }: { control: ProbeRecord; goal: number; price?: number },
): Tried {
  const start = points[0];
  const path = points.slice(1).map((point): TriedPoint => {
    const beside = control.points.find(({ step }) => step === point.step)!;
    const price = Math.exp(point.replay - beside.replay);
    const kept = point.keptP === undefined ? 1 : point.keptP / start.keptP!;
    return { steps: point.step, patternP: point.forgetP, control: beside.forgetP, price, kept };
  });
  const norms = Object.values(gradients).reduce((sum, norm) => sum + norm, 0);
  const { steps, patternP, control: beside, price, kept } = bestPoint(path, { goal, most });
  return {
    ...candidate,
    steps,
    patternP: { start: start.forgetP, end: patternP, control: beside },
    price,
    kept,
    gradientShares: Object.fromEntries(Object.entries(gradients).map(([term, norm]) => [term, norm / (norms || 1)])),
    reachedGoal: patternP <= goal,
    onFront: false,
    path,
  };
}

type Costs = Pick<TriedPoint, 'price' | 'kept'>;

/**
 * What decides, in whole units: two of natural perplexity in a thousand above the control's, or two percent of the probability
 * of what the synthetic text says, lost. To gain costs nothing less.
 */
const cost = ({ price, kept }: Costs): number =>
  Math.max(0, Math.round((price - 1) * 500)) + Math.max(0, Math.round((1 - kept) * 50));

const isAffordable = ({ price, kept }: Costs, most: number = MOST_PRICE): boolean =>
  price <= most && kept >= 1 - MOST_FALL;

const lowest = <T>(all: readonly T[], of: (one: T) => number): T =>
  all.reduce((best, one) => (of(one) < of(best) ? one : best));

/**
 * The step to end at. Of those that can be afforded the first one that reaches the goal at the lowest cost: what forgetting takes
 * from natural text at first, replay gives back while the pattern stays gone, so a later step may be cheaper. Where none of them
 * reaches the goal, the one that comes nearest. Where none can be afforded, the cheapest at the goal, or the last one.
 */
function bestPoint(path: readonly TriedPoint[], { goal, most }: { goal: number; most: number }): TriedPoint {
  const affordable = path.filter((point) => isAffordable(point, most));
  const reached = (points: readonly TriedPoint[]): TriedPoint[] => points.filter(({ patternP }) => patternP <= goal);
  const [within, beyond] = [reached(affordable), reached(path)];
  if (within.length > 0) return lowest(within, cost);
  if (affordable.length > 0) return lowest(affordable, ({ patternP, control }) => patternP / control);
  return beyond.length > 0 ? lowest(beyond, cost) : path.at(-1)!;
}

/** Whether a setting may do more in more steps than it was tried for: where half of the price is left, since no control runs beside them. */
export const mayGoOn = (one: Tried): boolean =>
  !one.reachedGoal &&
  isAffordable(one) &&
  one.price - 1 <= (MOST_PRICE - 1) / 2 &&
  one.steps === one.path.at(-1)!.steps;

const gainOf = ({ patternP }: Tried): number => patternP.control / patternP.end;

/** What a setting costs, in words. */
const costText = ({ price, kept }: Costs): string =>
  `${(100 * (price - 1)).toFixed(1)}% of natural perplexity and ${(100 * (1 - kept)).toFixed(1)}% of the probability of what the synthetic text says`;

/** Of settings that do as much, the cheapest; where that is equal the sooner. */
export function cheapestOf(tried: readonly Tried[]): Pick<Choice, 'chosen' | 'why'> {
  const [cheapest] = [...tried].sort((a, b) => cost(a) - cost(b) || a.steps - b.steps);
  const times = `${gainOf(cheapest).toPrecision(2)} times below replay alone`;
  return { chosen: cheapest.name, why: `comes ${times} at ${costText(cheapest)}, in ${cheapest.steps} steps` };
}

/**
 * The setting to take: of those that reach the goal at a bounded cost the cheapest, and where that is equal one that
 * forgets the pattern only, and the sooner; where none does, the cheapest of those that add nearly most to replay at that cost.
 */
export function pick(tried: readonly Tried[], most: number = MOST_PRICE): Pick<Choice, 'chosen' | 'why'> {
  const affordable = tried.filter((one) => isAffordable(one, most));
  const times = (one: Tried): string => `${gainOf(one).toPrecision(2)} times below replay alone`;
  const [cheapest] = affordable
    .filter(({ reachedGoal }) => reachedGoal)
    .sort((a, b) => Number(a.span === 'all') - Number(b.span === 'all') || cost(a) - cost(b) || a.steps - b.steps);
  if (cheapest)
    return {
      chosen: cheapest.name,
      why: `reaches the goal, ${times(cheapest)} at ${costText(cheapest)}, in ${cheapest.steps} steps`,
    };
  const all = affordable.length > 0 ? affordable : tried;
  const largest = Math.max(...all.map(gainOf));
  const best = lowest(
    all.filter((one) => gainOf(one) >= Math.min(largest, largest ** NEARLY)),
    cost,
  );
  const short = `comes ${times(best)} at ${costText(best)}; no setting reached the goal at a cost that is allowed`;
  return { chosen: best.name, why: gainOf(best) < LEAST_GAIN ? `${short}: next to nothing` : short };
}
