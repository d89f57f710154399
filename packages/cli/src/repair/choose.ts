import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal } from '@lethe/run';
import { runStage, stageRecords, stageValidations } from '@lethe/train';
import { onFront } from '../sweep/pareto.js';
import { candidatesOf, type RepairRun, repairRecipe, type RepairSetup, withoutForgetting } from './repair-recipe.js';
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

interface Running {
  logger: Logger;
  stop: StopRequest;
}

/** The validations of a run and the gradient norms of its terms at its first step. */
interface ProbeRecord {
  points: Point[];
  gradients: Record<string, number>;
}

async function probe(setup: RepairSetup, run: RepairRun, running: Running): Promise<ProbeRecord | StopSignal> {
  const { stoppedBy } = await runStage(repairRecipe(setup, run), running);
  if (stoppedBy) return stoppedBy;
  const folder = join(setup.runs, run.name);
  const first = stageRecords(folder).find(({ step }) => step === 1);
  // A probe's weights are of no further use.
  for (const name of ['checkpoints', 'model']) rmSync(join(folder, name), { recursive: true, force: true });
  return {
    points: stageValidations(folder).map(({ step, forgetP, replay }) => ({ step, forgetP: forgetP!, replay: replay! })),
    gradients: (first?.termGradientNorms ?? {}) as Record<string, number>,
  };
}

/** Once a probe has been read its folder has no model, so its record is kept where the phases are. */
export type Keep = <T>(name: string, find: () => Promise<T>) => Promise<T>;

/**
 * Tries every setting for a few steps beside replay alone, on rows that are not reported.
 * @returns what each did and which is chosen, or the signal that stopped it.
 */
export async function chooseSettings(
  setup: RepairSetup,
  { goal, keep, ...running }: { goal: number; keep: Keep } & Running,
): Promise<Choice | StopSignal> {
  const { probeSteps: steps } = setup.plan;
  const candidates = candidatesOf(setup.plan);
  const controls = new Map<number, ProbeRecord>();
  const tried: Tried[] = [];
  const one = async (name: string, candidate: Candidate): Promise<ProbeRecord | StopSignal> => {
    let stopped: StopSignal | undefined;
    try {
      return await keep(`probe-${name}`, async () => {
        running.logger.info(`probe ${name}: ${steps} steps`);
        const found = await probe(setup, { name: `probe-${name}`, candidate, steps }, running);
        if (typeof found !== 'string') return found;
        stopped = found;
        throw new Stopped();
      });
    } catch (error) {
      if (error instanceof Stopped) return stopped!;
      throw error;
    }
  };
  for (const candidate of candidates) {
    const { lr } = candidate;
    if (!controls.has(lr)) {
      const control = await one(`control-${lr}`, withoutForgetting(candidate));
      if (typeof control === 'string') return control;
      controls.set(lr, control);
    }
    const record = await one(candidate.name, candidate);
    if (typeof record === 'string') return record;
    tried.push(triedOf(candidate, record, { control: controls.get(lr)!, goal }));
  }
  const front = onFront(tried.map(({ patternP, price }) => [patternP.end / patternP.control, price]));
  const marked = tried.map((one, i) => ({ ...one, onFront: front[i] }));
  return { goal, tried: marked, ...pick(marked) };
}

/** Ends a phase without a record of it. */
class Stopped extends Error {}

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
