import { clusteredDifference, type TestedDifference } from './difference-interval.js';

/** The change of one item, and what it depends on together with others. */
export interface ClusteredChange {
  cluster: string;
  change: number;
}

/**
 * Compares items that depend on each other, such as the turns of a conversation: the mean of the groups' mean changes,
 * where a cluster is a whole. A cluster lies in one group.
 */
export function compareClusters(
  groups: readonly (readonly ClusteredChange[])[],
  flipping: () => number,
): TestedDifference {
  const clusters = groups.flatMap((group) => {
    const own = new Map<string, { change: number; weight: number }>();
    const weight = 1 / (group.length * groups.length);
    for (const { cluster, change } of group) {
      const total = own.get(cluster) ?? { change: 0, weight: 0 };
      own.set(cluster, { change: total.change + change * weight, weight: total.weight + weight });
    }
    return [...own.values()];
  });
  const tested = clusteredDifference(clusters, flipping);
  const n = groups.reduce((total, { length }) => total + length, 0);
  return { ...tested, difference: { ...tested.difference, n } };
}
