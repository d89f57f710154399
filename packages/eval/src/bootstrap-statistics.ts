import { type Score, t95, Z_95 } from './interval.js';

/** The chance of the standard normal distribution below x, to 1e-7 (Abramowitz and Stegun 26.2.17). */
export function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return x >= 0 ? 1 - above : above;
}

/**
 * 95% between percentiles of sorted values that were drawn from n items in so many strata: expanded, since a bootstrap
 * of few items is narrow by sqrt((n - 1) / n) and knows no t (Hesterberg 2015, "What teachers should know about the
 * bootstrap", section 5.3).
 */
export function expandedPercentiles(sorted: ArrayLike<number>, n: number, strata = 1): { low: number; high: number } {
  const degrees = Math.max(1, n - strata);
  const beyond = normalBelow(-Math.sqrt(n / degrees) * Math.max(Z_95, t95(degrees)));
  const last = sorted.length - 1;
  return { low: sorted[Math.floor(beyond * last)], high: sorted[Math.ceil((1 - beyond) * last)] };
}

/** Bounds of a statistic. */
export interface Range {
  least: number;
  most: number;
}

/** What n values that are all the same leave open: as Wilson's interval does at 0 and at n of n. */
function openEnds(value: number, n: number, { least, most }: Range): { low: number; high: number } {
  const open = (Z_95 * Z_95) / (n + Z_95 * Z_95);
  return { low: value - open * (value - least), high: value + open * (most - value) };
}

/**
 * Bootstrap intervals of several statistics of the same items, 95%. Items are drawn anew within each stratum, so that
 * what is drawn together (a conversation with its turns, an instruction with its levels) is one item. Where all drawings
 * agree, the interval is what so many equal values leave open between the statistic's bounds.
 * @param statistics of drawn items, by name; NaN where a drawing leaves one undefined, which its interval leaves out.
 */
export function bootstrapStatistics<T>(
  strata: readonly (readonly T[])[],
  statistics: (drawn: T[][]) => Record<string, number>,
  { random, range, resamples = 2000 }: { random: () => number; range: (name: string) => Range; resamples?: number },
): Record<string, Omit<Score, 'n'>> {
  const n = strata.reduce((total, { length }) => total + length, 0);
  const draw = (items: readonly T[]): T[] => items.map(() => items[Math.floor(random() * items.length)]);
  const drawings = Array.from({ length: resamples }, () => statistics(strata.map(draw)));
  const whole = Object.entries(statistics(strata.map((items) => [...items])));
  return Object.fromEntries(
    whole.map(([name, value]) => {
      const values = drawings.map((drawn) => drawn[name]).filter((one) => !Number.isNaN(one));
      const sorted = Float64Array.from(values).sort();
      if (sorted.length === 0 || Number.isNaN(value)) return [name, { value, low: NaN, high: NaN }];
      const { low, high } = expandedPercentiles(sorted, n, strata.length);
      const { low: least, high: most } = low === high ? openEnds(value, n, range(name)) : { low, high };
      return [name, { value, low: Math.min(least, value), high: Math.max(most, value) }];
    }),
  );
}
