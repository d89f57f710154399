import { percentiles, type Score } from './interval.js';

/**
 * Percentile bootstrap intervals of several statistics of the same items, 95%. Items are drawn anew within each stratum,
 * so that what is drawn together (a conversation with its turns, an instruction with its levels) is one item.
 * @param statistics of drawn items, by name; NaN where a drawing leaves one undefined, which its interval leaves out.
 */
export function bootstrapStatistics<T>(
  strata: readonly (readonly T[])[],
  statistics: (drawn: T[][]) => Record<string, number>,
  random: () => number,
  resamples = 2000,
): Record<string, Omit<Score, 'n'>> {
  const draw = (items: readonly T[]): T[] => items.map(() => items[Math.floor(random() * items.length)]);
  const drawings = Array.from({ length: resamples }, () => statistics(strata.map(draw)));
  const whole = Object.entries(statistics(strata.map((items) => [...items])));
  return Object.fromEntries(
    whole.map(([name, value]) => {
      const values = drawings.map((drawn) => drawn[name]).filter((one) => !Number.isNaN(one));
      const sorted = Float64Array.from(values).sort();
      return [name, { value, ...(sorted.length > 0 ? percentiles(sorted) : { low: NaN, high: NaN }) }];
    }),
  );
}
