import { bootstrapStatistics } from '@lethe/eval';
import { seededRandom } from '@lethe/run';
import type { Interval } from './results.js';

/** What a document adds to a mean over tokens: a sum, and the number of tokens. */
export type Share = readonly [sum: number, count: number];

/** Sums over documents, divided: a mean over all of their tokens; NaN where there are none. */
export function meanOf(shares: readonly Share[]): number {
  let [sum, count] = [0, 0];
  for (const share of shares) {
    sum += share[0];
    count += share[1];
  }
  return sum / count;
}

/**
 * Statistics of means over documents' tokens with 95% intervals: documents are drawn anew, all measures of a document
 * together, so that two models are compared on the same documents.
 * @param documents of each group, the measures of each of its documents.
 */
export function intervalsOf<M, N extends string>(
  documents: readonly (readonly M[])[],
  statistics: (drawn: M[][]) => Record<N, number>,
  name: string,
): Record<N, Interval> {
  const random = seededRandom(1, 'repair', 'bootstrap', name);
  // A measure that no document varies is known as far as these documents tell: no wider range is assumed.
  const known = statistics(documents.map((group) => [...group]));
  const range = (of: string): { least: number; most: number } => ({ least: known[of as N], most: known[of as N] });
  const found = bootstrapStatistics(documents, statistics as (drawn: M[][]) => Record<string, number>, {
    random: () => random.next(),
    range,
    resamples: 1000,
  });
  return found as Record<N, Interval>;
}
