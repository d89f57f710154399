import * as tf from '@tensorflow/tfjs-core';
import { type Points, withoutMean } from './points.js';

const ROUNDS = 60;
/** Standard deviation of the first coordinate: small, so that a layout can unfold from it. */
const SPREAD = 1e-4;

function normalise(vector: Float64Array): void {
  const length = Math.hypot(...vector) || 1;
  for (let d = 0; d < vector.length; d++) vector[d] /= length;
}

/** The scatter matrix [D, D] of points [N, D] whose mean is 0: a product on the device in use. */
function scatterOf(centred: Float32Array, N: number): Float32Array {
  const all = tf.tensor2d(centred, [N, centred.length / N]);
  const product = tf.matMul(all, all, true, false);
  const scatter = Float32Array.from(product.dataSync() as Float32Array);
  tf.dispose([all, product]);
  return scatter;
}

/** The two directions in which the points vary most, by power iteration. */
function principalAxes(scatter: Float32Array): Float64Array[] {
  const D = Math.sqrt(scatter.length);
  const axes: Float64Array[] = [];
  for (let component = 0; component < 2; component++) {
    let axis = Float64Array.from({ length: D }, (_, d) => Math.cos(1 + component + d * (component + 1)));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const other of axes) {
        const shared = axis.reduce((sum, x, d) => sum + x * other[d], 0);
        axis.forEach((_, d) => (axis[d] -= shared * other[d]));
      }
      normalise(axis);
      if (round === ROUNDS) break;
      const next = new Float64Array(D);
      for (let a = 0; a < D; a++) for (let b = 0; b < D; b++) next[a] += scatter[a * D + b] * axis[b];
      axis = next;
    }
    axes.push(axis);
  }
  return axes;
}

/** Coordinates [N, 2] of points on their two principal components, scaled to a small spread. */
export function principalPlane(points: Points): Float64Array {
  const N = points.count;
  const D = points.values.length / N;
  const centred = withoutMean(points);
  const plane = new Float64Array(2 * N);
  for (const [component, axis] of principalAxes(scatterOf(centred, N)).entries())
    for (let i = 0; i < N; i++) for (let d = 0; d < D; d++) plane[2 * i + component] += centred[i * D + d] * axis[d];
  let square = 0;
  for (let i = 0; i < N; i++) square += plane[2 * i] ** 2 / N;
  const scale = SPREAD / (Math.sqrt(square) || 1);
  return plane.map((x) => x * scale);
}
