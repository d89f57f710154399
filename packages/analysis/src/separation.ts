/**
 * How far two groups of points lie apart: the mean share of a point's k nearest neighbours that are of its own group.
 * For groups of one size, 0.5 says that they are mixed, 1 that they are separate.
 * @param distances of all points [N, N], squared or not; @param isFirst whether a point is of the first group.
 */
export function ownNeighbours(distances: Float32Array, isFirst: readonly boolean[], k = 10): number {
  const N = isFirst.length;
  if (distances.length !== N * N || N <= k)
    throw new RangeError(
      `ownNeighbours: expected the distances of ${N} points, more than ${k}, received ${distances.length}`,
    );
  let own = 0;
  for (let i = 0; i < N; i++) {
    const row = distances.subarray(i * N, (i + 1) * N);
    const others = Array.from({ length: N }, (_, j) => j).filter((j) => j !== i);
    others.sort((a, b) => row[a] - row[b] || a - b);
    own += others.slice(0, k).filter((j) => isFirst[j] === isFirst[i]).length;
  }
  return own / (N * k);
}
