import { mean, variance } from './distribution-shift.js';
import type { Neighbours } from './neighbours.js';
import type { Points } from './points.js';

/**
 * How far two groups of points lie apart: the share of each point's k nearest neighbours that are of its own group.
 * For groups of one size, a mean of 0.5 says that they are mixed, 1 that they are separate.
 * @param distances of all points [N, N], squared or not; @param isFirst whether a point is of the first group.
 * @throws RangeError unless there are more than k points and the distances of all pairs.
 */
export function ownNeighbourShares(distances: Float32Array, isFirst: readonly boolean[], k = 10): number[] {
  const N = isFirst.length;
  if (distances.length !== N * N || N <= k)
    throw new RangeError(
      `ownNeighbours: expected the distances of ${N} points, more than ${k}, received ${distances.length}`,
    );
  return isFirst.map((first, i) => {
    const row = distances.subarray(i * N, (i + 1) * N);
    const others = Array.from({ length: N }, (_, j) => j).filter((j) => j !== i);
    others.sort((a, b) => row[a] - row[b] || a - b);
    return others.slice(0, k).filter((j) => isFirst[j] === first).length / k;
  });
}

/** The same from the nearest neighbours of each point, of which the first `k` are taken. */
export const sharesOfNeighbours = (neighbours: Neighbours, isFirst: readonly boolean[], k = 10): number[] =>
  isFirst.map((first, i) => {
    const places = neighbours.places.subarray(i * neighbours.k, i * neighbours.k + k);
    return places.reduce((own, j) => own + (isFirst[j] === first ? 1 : 0), 0) / places.length;
  });

/** The mean of {@link ownNeighbourShares}. */
export const ownNeighbours = (distances: Float32Array, isFirst: readonly boolean[], k = 10): number =>
  mean(ownNeighbourShares(distances, isFirst, k));

/** The chance that a value of the first sample is above one of the second, ties counted as half (Mann-Whitney's U). */
export function areaUnderCurve(first: readonly number[], second: readonly number[]): number {
  let above = 0;
  for (const a of first) for (const b of second) above += a > b ? 1 : a === b ? 0.5 : 0;
  return above / (first.length * second.length);
}

/**
 * How well a linear classifier tells two groups of points apart: the area under its curve on points that it was not made
 * of, 0.5 by chance. The classifier is Fisher's discriminant with a diagonal covariance; it is made of every other point
 * of each group and judges the rest, and the other way round.
 */
export function separability({ values, count: N }: Points, isFirst: readonly boolean[]): number {
  const D = values.length / N;
  const groups = [true, false].map((kind) => isFirst.flatMap((first, i) => (first === kind ? [i] : [])));
  const areas = [0, 1].map((fold) => {
    const means = groups.map((all) =>
      moments(
        values,
        D,
        all.filter((_, i) => i % 2 === fold),
      ),
    );
    const direction = means[0].mean.map(
      (centre, d) => (centre - means[1].mean[d]) / (means[0].variance[d] + means[1].variance[d] || 1),
    );
    const scores = groups.map((all) =>
      all
        .filter((_, i) => i % 2 !== fold)
        .map((i) => direction.reduce((sum, weight, d) => sum + weight * values[i * D + d], 0)),
    );
    return areaUnderCurve(scores[0], scores[1]);
  });
  return mean(areas);
}

/** Mean and variance of some of the points, by dimension. */
function moments(values: Float32Array, D: number, some: readonly number[]): { mean: number[]; variance: number[] } {
  const dimensions = Array.from({ length: D }, (_, d) => some.map((i) => values[i * D + d]));
  return { mean: dimensions.map(mean), variance: dimensions.map(variance) };
}
