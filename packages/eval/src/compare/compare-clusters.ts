import { bootstrapStatistics } from '../bootstrap-statistics.js';
import type { Score } from '../interval.js';
import { signFlip } from './paired-tests.js';

/** The change of one item, and what it is drawn together with. */
export interface ClusteredChange {
  cluster: string;
  change: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

function byCluster(changes: readonly ClusteredChange[]): number[][] {
  const clusters = new Map<string, number[]>();
  for (const { cluster, change } of changes) clusters.set(cluster, [...(clusters.get(cluster) ?? []), change]);
  return [...clusters.values()];
}

/**
 * Compares items that depend on each other, such as the turns of a conversation: the mean of the groups' mean changes,
 * its bootstrap interval over clusters drawn anew within each group, and a test that flips the signs of whole clusters.
 */
export function compareClusters(
  groups: readonly (readonly ClusteredChange[])[],
  random: { drawing: () => number; flipping: () => number },
): { difference: Score; p: number } {
  const strata = groups.map(byCluster);
  const statistics = (drawn: number[][][]): { difference: number } => ({
    difference: mean(drawn.map((clusters) => mean(clusters.flat()))),
  });
  const { difference } = bootstrapStatistics(strata, statistics, random.drawing);
  const weighted = strata.flatMap((clusters, g) => clusters.map((changes) => sum(changes) / groups[g].length));
  return {
    difference: { ...difference, n: sum(groups.map(({ length }) => length)) },
    p: signFlip(weighted, random.flipping),
  };
}
