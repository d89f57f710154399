import type { Overlaps, OverlapStatus, Place } from '@lethe/data-pipeline';

/** Scores of items by whether training data hold them; parts without items are left out. */
export interface OverlapSplit<S> {
  /** Items that were looked for and not found. */
  clean?: S;
  /** Items that share n-grams with training data. */
  overlapping?: S;
  /** Items too short to look for. */
  tooShort?: S;
}

const PARTS = { clean: 'clean', overlapping: 'overlapping', tooShort: 'too short' } as const;

/**
 * Scores the items of each status by themselves; undefined where none of their files was looked for in training data.
 * An item without a place, or of a file that was not looked for, counts as too short: nothing is known of it.
 */
export function splitByOverlap<T, S>(
  items: readonly T[],
  { overlaps, placeOf }: { overlaps: Overlaps; placeOf: (item: T) => Place | undefined },
  score: (items: T[]) => S,
): OverlapSplit<S> | undefined {
  const statuses = items.map((item): OverlapStatus | undefined => {
    const place = placeOf(item);
    return place && overlaps.statusOf(place);
  });
  if (statuses.every((status) => status === undefined)) return undefined;
  const split: OverlapSplit<S> = {};
  for (const [part, wanted] of Object.entries(PARTS) as [keyof typeof PARTS, OverlapStatus][]) {
    const subset = items.filter((_, i) => (statuses[i] ?? 'too short') === wanted);
    if (subset.length > 0) split[part] = score(subset);
  }
  return split;
}
