import { principalPlane } from './principal-plane.js';

/** N vectors of one dimension, one after the other. */
export interface Points {
  values: Float32Array;
  count: number;
}

/** Options of {@link tsne}. */
export interface TsneOptions {
  /** The effective number of neighbours, less than a third of the points. Default 30. */
  perplexity?: number;
  /** Steps; the first 250 exaggerate the affinities by 12. Default 750. */
  iterations?: number;
  /** The points' {@link squaredDistances}, where they are there already. */
  distances?: Float32Array;
}

const EXAGGERATED = 250;

/** Squared Euclidean distances [N, N]. */
export function squaredDistances({ values, count: N }: Points): Float32Array {
  const D = values.length / N;
  const distances = new Float32Array(N * N);
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += (values[i * D + d] - values[j * D + d]) ** 2;
      distances[i * N + j] = distances[j * N + i] = sum;
    }
  }
  return distances;
}

/** p(j | i) of one row, written in place of its distances: a Gaussian whose entropy is log(perplexity). */
function conditional(row: Float32Array, self: number, perplexity: number): void {
  let nearest = Infinity;
  for (let j = 0; j < row.length; j++) if (j !== self && row[j] < nearest) nearest = row[j];
  const weights = new Float64Array(row.length);
  let [beta, low, high, total] = [1, 0, Infinity, 0];
  for (let round = 0; round < 64; round++) {
    let mean = 0;
    total = 0;
    for (let j = 0; j < row.length; j++) {
      weights[j] = j === self ? 0 : Math.exp(-beta * (row[j] - nearest));
      total += weights[j];
      mean += weights[j] * (row[j] - nearest);
    }
    const gap = Math.log(total) + (beta * mean) / total - Math.log(perplexity);
    if (Math.abs(gap) < 1e-5) break;
    if (gap > 0) low = beta;
    else high = beta;
    beta = high === Infinity ? 2 * beta : (low + high) / 2;
  }
  for (let j = 0; j < row.length; j++) row[j] = weights[j] / total;
}

/** Symmetric affinities [N, N] that sum to 1, from squared distances (van der Maaten and Hinton 2008, section 2 and eq. 12). */
export function affinities(distances: Float32Array, perplexity: number): Float32Array {
  const N = Math.sqrt(distances.length);
  const P = distances.slice();
  for (let i = 0; i < N; i++) conditional(P.subarray(i * N, (i + 1) * N), i, perplexity);
  for (let i = 0; i < N; i++)
    for (let j = 0; j < i; j++) P[i * N + j] = P[j * N + i] = (P[i * N + j] + P[j * N + i]) / (2 * N);
  return P;
}

/**
 * The gradient of KL(P || Q) with P times `exaggeration`, of a layout y [N, 2] (eq. 5), written to `gradient`.
 * @returns the sum over pairs i != j of the kernel 1 / (1 + |y_i - y_j|^2), which normalises Q.
 */
export function layoutGradient(P: Float32Array, y: Float64Array, exaggeration: number, gradient: Float64Array): number {
  const N = y.length / 2;
  const repulsion = new Float64Array(2 * N);
  gradient.fill(0);
  let Z = 0;
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1]];
      const kernel = 1 / (1 + dx * dx + dy * dy);
      Z += 2 * kernel;
      const pull = exaggeration * P[i * N + j] * kernel;
      const push = kernel * kernel;
      gradient[2 * i] += pull * dx;
      gradient[2 * i + 1] += pull * dy;
      gradient[2 * j] -= pull * dx;
      gradient[2 * j + 1] -= pull * dy;
      repulsion[2 * i] += push * dx;
      repulsion[2 * i + 1] += push * dy;
      repulsion[2 * j] -= push * dx;
      repulsion[2 * j + 1] -= push * dy;
    }
  }
  for (let k = 0; k < 2 * N; k++) gradient[k] = 4 * (gradient[k] - repulsion[k] / Z);
  return Z;
}

/**
 * A layout [N, 2] of points by t-SNE (van der Maaten and Hinton 2008), exact: time and memory grow with N^2. It begins with
 * the two principal components, so that equal points give equal layouts.
 * @throws RangeError where there are fewer than three points for each unit of perplexity.
 */
export function tsne(
  points: Points,
  { perplexity = 30, iterations = 750, distances = squaredDistances(points) }: TsneOptions = {},
): Float64Array {
  const N = points.count;
  if (!(perplexity >= 1 && N >= 3 * perplexity))
    throw new RangeError(
      `tsne: expected at least ${3 * perplexity} points for a perplexity of ${perplexity}, received ${N}`,
    );
  const P = affinities(distances, perplexity);
  const y = principalPlane(points);
  const [speed, gains, gradient] = [new Float64Array(2 * N), new Float64Array(2 * N).fill(1), new Float64Array(2 * N)];
  const rate = Math.max(50, N / 48);
  for (let step = 0; step < iterations; step++) {
    const isEarly = step < Math.min(EXAGGERATED, iterations / 3);
    layoutGradient(P, y, isEarly ? 12 : 1, gradient);
    for (let k = 0; k < 2 * N; k++) {
      const agrees = gradient[k] * speed[k] > 0; // the speed points against the gradient it came from
      gains[k] = Math.max(0.01, agrees ? gains[k] * 0.8 : gains[k] + 0.2);
      speed[k] = (isEarly ? 0.5 : 0.8) * speed[k] - rate * gains[k] * gradient[k];
      y[k] += speed[k];
    }
  }
  return y;
}
