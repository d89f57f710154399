import type { Points } from './tsne.js';

const ROUNDS = 60;
/** Standard deviation of the first coordinate: small, so that a layout can unfold from it. */
const SPREAD = 1e-4;

function normalise(vector: Float64Array): void {
  const length = Math.hypot(...vector) || 1;
  for (let d = 0; d < vector.length; d++) vector[d] /= length;
}

/** Coordinates [N, 2] of points on their two principal components, by power iteration, scaled to a small spread. */
export function principalPlane({ values, count: N }: Points): Float64Array {
  const D = values.length / N;
  const mean = new Float64Array(D);
  for (let k = 0; k < values.length; k++) mean[k % D] += values[k] / N;
  const along = (i: number, axis: Float64Array): number => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += (values[i * D + d] - mean[d]) * axis[d];
    return sum;
  };
  const axes: Float64Array[] = [];
  for (let component = 0; component < 2; component++) {
    let axis = Float64Array.from({ length: D }, (_, d) => Math.cos(1 + component + d * (component + 1)));
    for (let round = 0; round < ROUNDS; round++) {
      for (const other of axes) {
        const shared = axis.reduce((sum, x, d) => sum + x * other[d], 0);
        axis.forEach((_, d) => (axis[d] -= shared * other[d]));
      }
      normalise(axis);
      const next = new Float64Array(D);
      for (let i = 0; i < N; i++) {
        const weight = along(i, axis);
        for (let d = 0; d < D; d++) next[d] += weight * (values[i * D + d] - mean[d]);
      }
      axis = next;
    }
    normalise(axis);
    axes.push(axis);
  }
  const plane = Float64Array.from({ length: 2 * N }, (_, k) => along(k >> 1, axes[k & 1]));
  let square = 0;
  for (let i = 0; i < N; i++) square += plane[2 * i] ** 2 / N;
  const scale = SPREAD / (Math.sqrt(square) || 1);
  return plane.map((x) => x * scale);
}
