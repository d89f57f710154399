import { type Affinities, affinities } from './affinities.js';
import { nearestNeighbours, type Neighbours } from './neighbours.js';
import type { Points } from './points.js';
import { principalPlane } from './principal-plane.js';
import { Repulsion } from './repulsion.js';

/** Options of {@link tsne}. */
export interface TsneOptions {
  /** The effective number of neighbours, less than a third of the points. Default 30. */
  perplexity?: number;
  /** Steps; the first 250 exaggerate the affinities by 12. Default 1000. */
  iterations?: number;
  /** How coarsely far points are taken together, see {@link Repulsion}; 0 is exact. Default 0.5. */
  theta?: number;
  /** The points' {@link tsneNeighbours}, where they are there already. */
  neighbours?: Neighbours;
}

const PERPLEXITY = 30;
const EXAGGERATED = 250;
/** Neighbours that have an affinity, for each unit of perplexity. */
const NEIGHBOURS = 3;

/** The neighbours that a layout of some perplexity takes. @throws RangeError where there are too few points. */
export function tsneNeighbours(points: Points, perplexity: number): Neighbours {
  const N = points.count;
  if (!(perplexity >= 1 && N >= NEIGHBOURS * perplexity))
    throw new RangeError(
      `tsne: expected at least ${NEIGHBOURS * perplexity} points for a perplexity of ${perplexity}, received ${N}`,
    );
  return nearestNeighbours(points, Math.min(N - 1, Math.floor(NEIGHBOURS * perplexity) + 1));
}

/**
 * The gradient of KL(P || Q) with P times `exaggeration`, of a layout y [N, 2] (van der Maaten and Hinton 2008, eq. 5), written
 * to `gradient` [N, 2].
 */
export function layoutGradient(
  { first, second, p }: Affinities,
  { y, repulsion, exaggeration }: { y: Float64Array; repulsion: Repulsion; exaggeration: number },
  gradient: Float64Array,
): void {
  const Z = repulsion.of(y, gradient);
  for (let k = 0; k < gradient.length; k++) gradient[k] *= -4 / Z;
  const scale = 4 * exaggeration;
  for (let pair = 0; pair < p.length; pair++) {
    const i = 2 * first[pair];
    const j = 2 * second[pair];
    const dx = y[i] - y[j];
    const dy = y[i + 1] - y[j + 1];
    const pull = (scale * p[pair]) / (1 + dx * dx + dy * dy);
    gradient[i] += pull * dx;
    gradient[i + 1] += pull * dy;
    gradient[j] -= pull * dx;
    gradient[j + 1] -= pull * dy;
  }
}

/** KL(P || Q) of a layout y [N, 2], over the pairs that have an affinity. */
export function divergence({ first, second, p }: Affinities, y: Float64Array): number {
  const Z = new Repulsion(y.length / 2, 0).of(y, new Float64Array(y.length));
  let sum = 0;
  for (let pair = 0; pair < p.length; pair++) {
    const [i, j] = [2 * first[pair], 2 * second[pair]];
    const kernel = 1 / (1 + (y[i] - y[j]) ** 2 + (y[i + 1] - y[j + 1]) ** 2);
    if (p[pair] > 0) sum += 2 * p[pair] * Math.log((p[pair] * Z) / kernel);
  }
  return sum;
}

/**
 * A layout [N, 2] of points by t-SNE (van der Maaten and Hinton 2008; far points taken together as in van der Maaten 2014), with
 * distances of the device in use. It begins with the two principal components, so that equal points give equal layouts.
 * @throws RangeError where there are fewer than three points for each unit of perplexity.
 */
export function tsne(
  points: Points,
  { perplexity = PERPLEXITY, iterations = 1000, theta = 0.5, neighbours }: TsneOptions = {},
): Float64Array {
  const N = points.count;
  const P = affinities(neighbours ?? tsneNeighbours(points, perplexity), perplexity);
  const y = principalPlane(points);
  const [speed, gains, gradient] = [new Float64Array(2 * N), new Float64Array(2 * N).fill(1), new Float64Array(2 * N)];
  const repulsion = new Repulsion(N, theta);
  const rate = Math.max(50, N / 48);
  for (let step = 0; step < iterations; step++) {
    const isEarly = step < Math.min(EXAGGERATED, iterations / 3);
    layoutGradient(P, { y, repulsion, exaggeration: isEarly ? 12 : 1 }, gradient);
    const momentum = isEarly ? 0.5 : 0.8;
    for (let k = 0; k < 2 * N; k++) {
      const agrees = gradient[k] * speed[k] > 0; // the speed points against the gradient it came from
      gains[k] = Math.max(0.01, agrees ? gains[k] * 0.8 : gains[k] + 0.2);
      speed[k] = momentum * speed[k] - rate * gains[k] * gradient[k];
      y[k] += speed[k];
    }
  }
  return y;
}
