import type { Neighbours } from './neighbours.js';

/** The affinities of pairs i < j that are not 0: `p` for both ways together sums to 1. Pairs are in order of i, then j. */
export interface Affinities {
  first: Int32Array;
  second: Int32Array;
  /** p_ij = p_ji of each pair. */
  p: Float64Array;
}

/** Rounds of bisection for a row's bandwidth, at most, and how near its entropy must come. */
const [ROUNDS, NEAR] = [64, 1e-5];

/** p(j | i) of one point's neighbours: a Gaussian whose entropy is log(perplexity), written to `weights`. */
function conditional(distances: Float32Array, perplexity: number, weights: Float64Array): void {
  const k = distances.length;
  const nearest = distances[0];
  let [beta, low, high, total] = [1, 0, Infinity, 0];
  for (let round = 0; round < ROUNDS; round++) {
    let mean = 0;
    total = 0;
    for (let j = 0; j < k; j++) {
      weights[j] = Math.exp(-beta * (distances[j] - nearest));
      total += weights[j];
      mean += weights[j] * (distances[j] - nearest);
    }
    const gap = Math.log(total) + (beta * mean) / total - Math.log(perplexity);
    if (Math.abs(gap) < NEAR) break;
    if (gap > 0) low = beta;
    else high = beta;
    beta = high === Infinity ? 2 * beta : (low + high) / 2;
  }
  for (let j = 0; j < k; j++) weights[j] /= total;
}

/**
 * Symmetric affinities of each point and its neighbours, those of all others taken as 0 (van der Maaten and Hinton 2008, section
 * 2 and eq. 12; van der Maaten 2014, section 4.1: three neighbours for each unit of perplexity are enough).
 */
export function affinities({ k, places, distances }: Neighbours, perplexity: number): Affinities {
  const N = places.length / k;
  const weights = new Float64Array(k);
  const rows = Array.from({ length: N }, () => new Map<number, number>());
  for (let i = 0; i < N; i++) {
    conditional(distances.subarray(i * k, (i + 1) * k), perplexity, weights);
    for (let at = 0; at < k; at++) {
      const j = places[i * k + at];
      const row = rows[Math.min(i, j)];
      const other = Math.max(i, j);
      row.set(other, (row.get(other) ?? 0) + weights[at] / (2 * N));
    }
  }
  const count = rows.reduce((sum, { size }) => sum + size, 0);
  const found: Affinities = { first: new Int32Array(count), second: new Int32Array(count), p: new Float64Array(count) };
  let pair = 0;
  for (const [i, row] of rows.entries())
    for (const [j, p] of [...row].sort(([a], [b]) => a - b)) {
      found.first[pair] = i;
      found.second[pair] = j;
      found.p[pair++] = p;
    }
  return found;
}
