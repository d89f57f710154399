import { normalBelow } from '../bootstrap-statistics.js';
import { type Score, Z_95 } from '../interval.js';
import { mcNemar, signFlipTest } from './paired-tests.js';

/** An interval of a difference and the chance of one as large were there none; neither contradicts the other. */
export interface TestedDifference {
  difference: Score;
  test: 'mcnemar' | 'score' | 'sign-flip';
  p: number;
}

/** Where f, positive at one point and not at another, changes its sign. */
function root(f: (x: number) => number, positive: number, negative: number, tolerance = 1e-9): number {
  let [from, to] = [positive, negative];
  while (Math.abs(to - from) > tolerance) {
    const middle = (from + to) / 2;
    if (f(middle) > 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

/**
 * Tango's score statistic for a paired difference of proportions d, of n pairs of which b went one way and c the other
 * (Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
 * design", equation 8). Counts may be effective ones.
 */
function tangoStatistic({ b, c, n }: Record<'b' | 'c' | 'n', number>, d: number): number {
  const linear = -b - c + (2 * n - b + c) * d;
  const q = (Math.sqrt(Math.max(0, linear ** 2 + 8 * n * c * d * (1 - d))) - linear) / (4 * n);
  const variance = n * (2 * q + d * (1 - d));
  const distance = b - c - n * d;
  return variance <= 0 ? Math.sign(distance) * Infinity : distance / Math.sqrt(variance);
}

/** Tango's 95% interval of (b - c) / n. */
export function tango(counts: Record<'b' | 'c' | 'n', number>): { low: number; high: number } {
  const value = (counts.b - counts.c) / counts.n;
  return {
    low: value <= -1 ? -1 : root((d) => tangoStatistic(counts, d) - Z_95, -1, value),
    high: value >= 1 ? 1 : root((d) => tangoStatistic(counts, d) + Z_95, value, 1),
  };
}

/**
 * The difference of items that are right or wrong, with McNemar's exact test. The test is the more careful of the two:
 * where it does not reject, the interval holds 0.
 */
export function binaryDifference(numLost: number, numRecovered: number, n: number): TestedDifference {
  const p = mcNemar(numLost, numRecovered);
  const { low, high } = tango({ b: numRecovered, c: numLost, n });
  const difference = { value: (numRecovered - numLost) / n, ...holding0(p, { low, high }), n };
  return { difference, test: 'mcnemar', p };
}

/**
 * The plain mean of the groups' mean changes, each change -1, 0 or 1: Tango's interval and score test with the groups'
 * weighted shares and the number of pairs that would weigh as much.
 */
export function macroDifference(groups: readonly (readonly number[])[]): TestedDifference {
  const share = (sign: number): number =>
    groups.reduce((total, group) => total + group.filter((x) => x === sign).length / group.length, 0) / groups.length;
  const n = groups.length ** 2 / groups.reduce((total, { length }) => total + 1 / length, 0);
  const [b, c] = [share(1) * n, share(-1) * n];
  const numItems = groups.reduce((total, { length }) => total + length, 0);
  const z = b + c === 0 ? 0 : (b - c) / Math.sqrt(b + c);
  return {
    difference: { value: (b - c) / n, ...tango({ b, c, n }), n: numItems },
    test: 'score',
    p: 2 * normalBelow(-Math.abs(z)),
  };
}

/** A change of a cluster of items, and its weight in the mean: the weights of all add up to 1. */
export interface WeightedChange {
  /** The cluster's part of the mean. */
  change: number;
  weight: number;
}

/**
 * A mean of changes in [-1, 1] that come in clusters: a test that flips the signs of whole clusters, and the interval of
 * the shifts that it does not reject, by the same signs (Garthwaite 1996 gives the principle).
 * @param random uniform in [0, 1): a seeded stream.
 */
export function clusteredDifference(changes: readonly WeightedChange[], random: () => number): TestedDifference {
  const n = changes.length;
  const value = changes.reduce((total, { change }) => total + change, 0);
  const test = signFlipTest(n, random);
  const pOf = (shift: number): number => test(changes.map(({ change, weight }) => change - shift * weight));
  const p = pOf(0);
  const isConstant = changes.every(({ change, weight }) => Math.abs(change - value * weight) < 1e-12);
  const { low, high } = isConstant ? tango(allAlike(value, n)) : unrejected(pOf, value);
  return { difference: { value, ...holding0(p, { low, high }), n }, test: 'sign-flip', p };
}

/** Pairs that all changed by the same: as many that went one way. */
const allAlike = (value: number, n: number): Record<'b' | 'c' | 'n', number> => ({
  b: Math.max(0, value) * n,
  c: Math.max(0, -value) * n,
  n,
});

/** The shifts with p above 5%, to 1e-4. */
function unrejected(pOf: (shift: number) => number, value: number): { low: number; high: number } {
  return {
    low: pOf(-1) > 0.05 ? -1 : root((d) => 0.05 - pOf(d), -1, value, 1e-4),
    high: pOf(1) > 0.05 ? 1 : root((d) => pOf(d) - 0.05, value, 1, 1e-4),
  };
}

/** An interval that holds 0 where a test does not reject it. */
const holding0 = (p: number, { low, high }: { low: number; high: number }): { low: number; high: number } =>
  p > 0.05 ? { low: Math.min(low, 0), high: Math.max(high, 0) } : { low, high };
