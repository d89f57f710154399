import { type Points, squaredDistances } from './tsne.js';

/**
 * How far two groups of points lie apart: the mean share of a point's k nearest neighbours that are of its own group.
 * For groups of one size, 0.5 says that they are mixed, 1 that they are separate.
 * @param isFirst whether a point is of the first group.
 */
export function ownNeighbours(points: Points, isFirst: readonly boolean[], k = 10): number {
  const N = points.count;
  if (isFirst.length !== N || N <= k)
    throw new RangeError(`ownNeighbours: expected more than ${k} points and a group of each, received ${N}`);
  const distances = squaredDistances(points);
  let own = 0;
  for (let i = 0; i < N; i++) {
    const row = distances.subarray(i * N, (i + 1) * N);
    const others = Array.from({ length: N }, (_, j) => j).filter((j) => j !== i);
    others.sort((a, b) => row[a] - row[b] || a - b);
    own += others.slice(0, k).filter((j) => isFirst[j] === isFirst[i]).length;
  }
  return own / (N * k);
}
