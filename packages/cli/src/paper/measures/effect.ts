import { bootstrapStatistics, signFlipTest } from '@lethe/eval';
import { type Random, seededRandom } from '@lethe/run';

/** A mean over seeds and items, with its 95% interval. */
export interface Effect {
  effect: number;
  low: number;
  high: number;
  /** Of a test that flips the signs of whole seeds: the chance of a mean as far from 0 were there no effect. */
  p: number;
  seeds: number;
}

/** The arithmetic mean. */
export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const RESAMPLES = 2000;
const drawsBySize = new Map<number, Uint32Array[]>();

/** Items drawn anew, for each resample: the same for all effects of so many items. */
function drawsOf(numItems: number): Uint32Array[] {
  const known = drawsBySize.get(numItems);
  if (known) return known;
  const random = seededRandom(1, 'paper', 'items', numItems);
  const draws = Array.from({ length: RESAMPLES }, () =>
    Uint32Array.from({ length: numItems }, () => Math.floor(random.next() * numItems)),
  );
  drawsBySize.set(numItems, draws);
  return draws;
}

/** The mean of the values at some places. */
function meanAt(values: readonly number[], places: Uint32Array): number {
  let sum = 0;
  for (const place of places) sum += values[place];
  return sum / places.length;
}

/**
 * The mean of values of seeds and items, and its hierarchical bootstrap: seeds are drawn anew, and the items, which all
 * seeds share, are drawn anew for all of them together. Its percentiles are expanded for so few seeds, as in
 * {@link bootstrapStatistics}.
 * @param values [seed][item]: for an effect, differences of two models on the same item.
 */
export function effectOf(values: readonly (readonly number[])[], name: string): Effect {
  const random: Random = seededRandom(1, 'paper', 'effect', name);
  const range = { least: Math.min(...values.flat()), most: Math.max(...values.flat()) };
  const draws = drawsOf(values[0].length);
  let drawing = 0;
  const statistics = (drawn: (readonly number[])[][]): Record<string, number> => {
    const items = draws[drawing++ % draws.length];
    return { effect: mean(drawn[0].map((seed) => meanAt(seed, items))) };
  };
  const { low, high } = bootstrapStatistics([values], statistics, {
    random: () => random.next(),
    range: () => range,
    resamples: RESAMPLES,
  }).effect;
  const bySeed = values.map(mean);
  return {
    effect: mean(bySeed),
    low,
    high,
    p: signFlipTest(bySeed.length, () => random.next())(bySeed),
    seeds: values.length,
  };
}

/** Differences a - b of the same seeds and items. */
export const differences = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map((items, seed) => items.map((x, i) => x - b[seed][i]));

/** What runs of one model say of each item: their mean. */
export const overRuns = (runs: readonly (readonly number[])[]): number[] =>
  runs[0].map((_, item) => mean(runs.map((run) => run[item])));
