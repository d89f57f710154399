import * as tf from '@tensorflow/tfjs-core';
import { type Points, withoutMean } from './points.js';

/** The nearest other points of each point, the nearest first: places [N, k] and squared Euclidean distances [N, k]. */
export interface Neighbours {
  k: number;
  places: Int32Array;
  distances: Float32Array;
}

/** Rows of distances that are held at a time. */
const BLOCK = 512;

/**
 * Calls back with the squared Euclidean distances [rows, N] of some points to all, block by block: by a matrix product in fp32 on
 * the device in use, |a|^2 + |b|^2 - 2ab of points whose mean is taken off. A point's distance to itself is 0.
 */
export function distanceBlocks(
  { values, count: N }: Points,
  onBlock: (block: Float32Array, from: number) => void,
): void {
  const D = values.length / N;
  const centred = withoutMean({ values, count: N });
  const squares = Float64Array.from({ length: N }, (_, i) => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += centred[i * D + d] ** 2;
    return sum;
  });
  const all = tf.tensor2d(centred, [N, D]);
  for (let from = 0; from < N; from += BLOCK) {
    const rows = Math.min(BLOCK, N - from);
    const some = tf.tensor2d(centred.subarray(from * D, (from + rows) * D), [rows, D]);
    const product = tf.matMul(some, all, false, true);
    const block = Float32Array.from(product.dataSync() as Float32Array);
    tf.dispose([some, product]);
    for (let r = 0; r < rows; r++) {
      const square = squares[from + r];
      for (let j = 0, at = r * N; j < N; j++, at++) block[at] = Math.max(0, square + squares[j] - 2 * block[at]);
      block[r * N + from + r] = 0;
    }
    onBlock(block, from);
  }
  tf.dispose(all);
}

/** Squared Euclidean distances [N, N]. */
export function squaredDistances(points: Points): Float32Array {
  const N = points.count;
  const distances = new Float32Array(N * N);
  distanceBlocks(points, (block, from) => distances.set(block, from * N));
  for (let i = 0; i < N; i++) for (let j = 0; j < i; j++) distances[j * N + i] = distances[i * N + j];
  return distances;
}

/** The k nearest other points of each, with distances of the device in use; of equally near ones those that come first. @throws RangeError where there are no k others, or values that are not finite. */
export function nearestNeighbours(points: Points, k: number): Neighbours {
  const N = points.count;
  if (k >= N || !points.values.every(Number.isFinite))
    throw new RangeError(`neighbours: expected more than ${k} points, all finite, received ${N}`);
  const found: Neighbours = { k, places: new Int32Array(N * k), distances: new Float32Array(N * k) };
  const nearest = new Nearest(k);
  distanceBlocks(points, (block, from) => {
    for (let r = 0; r * N < block.length; r++) nearest.of(block.subarray(r * N, (r + 1) * N), from + r, found);
  });
  return found;
}

/** Selects the smallest of many numbers: a heap of those so far, the largest on top. */
class Nearest {
  private readonly values: Float32Array;
  private readonly places: Int32Array;

  constructor(private readonly k: number) {
    this.values = new Float32Array(k);
    this.places = new Int32Array(k);
  }

  /** Writes the neighbours of the point `self`, whose distances to all are given. */
  of(row: Float32Array, self: number, found: Neighbours): void {
    const { k, values, places } = this;
    values.fill(Infinity);
    places.fill(row.length);
    for (let j = 0; j < row.length; j++) if (row[j] < values[0] && j !== self) this.replaceTop(row[j], j);
    const order = Array.from({ length: k }, (_, i) => i).sort((a, b) => values[a] - values[b] || places[a] - places[b]);
    for (const [rank, at] of order.entries()) {
      found.places[self * k + rank] = places[at];
      found.distances[self * k + rank] = values[at];
    }
  }

  private replaceTop(value: number, place: number): void {
    const { k, values, places } = this;
    const isAbove = (a: number, b: number): boolean =>
      values[a] > values[b] || (values[a] === values[b] && places[a] > places[b]);
    values[0] = value;
    places[0] = place;
    for (let at = 0; ;) {
      let most = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < k && isAbove(child, most)) most = child;
      if (most === at) return;
      [values[at], values[most]] = [values[most], values[at]];
      [places[at], places[most]] = [places[most], places[at]];
      at = most;
    }
  }
}
