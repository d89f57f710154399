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

/**
 * The mean of values of seeds and items, and its hierarchical bootstrap: seeds are drawn anew, and the items, which all
 * seeds share, are drawn anew for all of them together. Its percentiles are expanded for so few seeds, as in
 * {@link bootstrapStatistics}.
 * @param values [seed][item]: for an effect, differences of two models on the same item.
 */
export function effectOf(values: readonly (readonly number[])[], name: string): Effect {
  const random: Random = seededRandom(1, 'paper', 'effect', name);
  const numItems = values[0].length;
  const range = { least: Math.min(...values.flat()), most: Math.max(...values.flat()) };
  const statistics = (drawn: (readonly number[])[][]): Record<string, number> => {
    const items = Array.from({ length: numItems }, () => random.int(numItems));
    return { effect: mean(drawn[0].map((seed) => mean(items.map((i) => seed[i])))) };
  };
  const { low, high } = bootstrapStatistics([values], statistics, {
    random: () => random.next(),
    range: () => range,
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
