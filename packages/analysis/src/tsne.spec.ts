import { useDevice } from '@lethe/tensor';
import { affinities, type Affinities } from './affinities.js';
import { nearestNeighbours, squaredDistances } from './neighbours.js';
import type { Points } from './points.js';
import { principalPlane } from './principal-plane.js';
import { Repulsion } from './repulsion.js';
import { ownNeighbours } from './separation.js';
import { divergence, layoutGradient, tsne } from './tsne.js';

beforeAll(() => useDevice('lethe-cpu'));

/** A number in [-1, 1), by hashing. */
function noise(i: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
}

/** Points around centres, in turns; the groups are told by the index. */
function clouds(count: number, centres: number[][], spread = 1): Points {
  const D = centres[0].length;
  const values = Float32Array.from({ length: count * D }, (_, k) => {
    const i = Math.floor(k / D);
    return centres[i % centres.length][k % D] + spread * 0.5 * noise(k);
  });
  return { values, count };
}

const cloud = clouds(40, [[0, 0, 0, 0]]);
const affinitiesOf = (points: Points, perplexity: number, k = points.count - 1): Affinities =>
  affinities(nearestNeighbours(points, k), perplexity);
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe('neighbours', () => {
  it('are those of the distances, whatever the mean, and of equally near ones the first', () => {
    const N = 600;
    const points = { values: Float32Array.from({ length: 3 * N }, (_, k) => 40 + noise(k)), count: N };
    const { places, distances } = nearestNeighbours(points, 7);
    for (let i = 0; i < N; i += 11) {
      const to = (j: number): number =>
        [0, 1, 2].reduce((d2, d) => d2 + (points.values[3 * i + d] - points.values[3 * j + d]) ** 2, 0);
      const others = Array.from({ length: N }, (_, j) => j).filter((j) => j !== i);
      others.sort((a, b) => to(a) - to(b));
      expect([...places.subarray(7 * i, 7 * i + 7)]).toEqual(others.slice(0, 7));
      others.slice(0, 7).forEach((j, rank) => expect(distances[7 * i + rank]).toBeCloseTo(to(j), 5));
    }
    const equal = nearestNeighbours({ values: new Float32Array(12).fill(2), count: 6 }, 3);
    expect([...equal.places.subarray(0, 6)]).toEqual([1, 2, 3, 0, 2, 3]);
  });

  it('need points enough, and finite ones', () => {
    expect(() => nearestNeighbours(cloud, 40)).toThrow('expected more than 40 points, all finite, received 40');
    expect(() => nearestNeighbours({ values: Float32Array.from([1, NaN, 2]), count: 3 }, 1)).toThrow('all finite');
  });
});

describe('affinities', () => {
  it('sum to 1 over both ways, are of pairs in order, and largest for neighbours', () => {
    for (const k of [39, 15]) {
      const { first, second, p } = affinitiesOf(cloud, 5, k);
      expect(2 * sum(p)).toBeCloseTo(1, 6);
      first.forEach((i, pair) => expect(i).toBeLessThan(second[pair]));
    }
    const line = { values: Float32Array.from([0, 1, 2, 3, 50, 51, 52, 53]), count: 8 };
    const { second, p } = affinitiesOf(line, 2);
    expect(p[second.indexOf(1)]).toBeGreaterThan(20 * p[second.indexOf(4)]);
  });

  it('have the entropy asked for, whatever the scale', () => {
    // On a circle all rows are alike, so that the symmetric affinities are the conditional ones over N.
    const N = 30;
    for (const scale of [1e-3, 1, 1e3]) {
      const values = Float32Array.from({ length: 2 * N }, (_, k) => {
        const angle = (2 * Math.PI * (k >> 1)) / N;
        return scale * (k & 1 ? Math.sin(angle) : Math.cos(angle));
      });
      const { p } = affinitiesOf({ values, count: N }, 7);
      const entropy = -(2 / N) * sum(p.map((one) => (one > 0 ? N * one * Math.log(N * one) : 0)));
      expect(Math.exp(entropy)).toBeCloseTo(7, 2);
    }
  });
});

/** The forces of all pairs, one by one. */
function exactForces(y: Float64Array): { forces: Float64Array; Z: number } {
  const forces = new Float64Array(y.length);
  let Z = 0;
  for (let i = 0; i < y.length; i += 2)
    for (let j = 0; j < y.length; j += 2) {
      if (i === j) continue;
      const [dx, dy] = [y[i] - y[j], y[i + 1] - y[j + 1]];
      const q = 1 / (1 + dx * dx + dy * dy);
      Z += q;
      forces[i] += q * q * dx;
      forces[i + 1] += q * q * dy;
    }
  return { forces, Z };
}

describe('repulsion', () => {
  const layouts: [string, Float64Array][] = [
    ['a cloud', Float64Array.from({ length: 1200 }, (_, k) => 20 * noise(k))],
    ['two far groups', Float64Array.from({ length: 600 }, (_, k) => noise(k) + (k % 4 < 2 ? 0 : 300))],
    ['a line', Float64Array.from({ length: 400 }, (_, k) => (k & 1 ? 0 : k))],
    ['one place, but for one point', Float64Array.from({ length: 200 }, (_, k) => (k < 2 ? 5 : 1))],
    ['one place', new Float64Array(80)],
  ];

  it.each(layouts)('of %s is that of all pairs where cells are never one', (_name, y) => {
    const found = new Float64Array(y.length);
    const Z = new Repulsion(y.length / 2, 0).of(y, found);
    const exact = exactForces(y);
    expect(Z).toBeCloseTo(exact.Z, 8);
    found.forEach((force, k) => expect(force).toBeCloseTo(exact.forces[k], 9));
  });

  it.each(layouts)('of %s is within a few percent where far cells are one', (_name, y) => {
    const found = new Float64Array(y.length);
    const repulsion = new Repulsion(y.length / 2, 0.5);
    repulsion.of(y, found);
    const Z = repulsion.of(y, found); // Nothing is left of a first call.
    const exact = exactForces(y);
    expect(Math.abs(Z / exact.Z - 1)).toBeLessThan(0.01);
    const off = Math.sqrt(sum(found.map((force, k) => (force - exact.forces[k]) ** 2)));
    expect(off).toBeLessThanOrEqual(0.03 * Math.sqrt(sum(exact.forces.map((force) => force ** 2))));
  });
});

it('the gradient is that of the KL divergence', () => {
  const N = 12;
  const P = affinitiesOf(clouds(N, [[0, 0, 0]]), 3);
  const y = Float64Array.from({ length: 2 * N }, (_, k) => noise(k + 100));
  const gradient = new Float64Array(2 * N);
  layoutGradient(P, { y, repulsion: new Repulsion(N, 0), exaggeration: 1 }, gradient);
  for (let k = 0; k < 2 * N; k++) {
    const [at, h] = [y[k], 1e-5];
    y[k] = at + h;
    const above = divergence(P, y);
    y[k] = at - h;
    expect(gradient[k]).toBeCloseTo((above - divergence(P, y)) / (2 * h), 6);
    y[k] = at;
  }
});

it('a pair of no affinity adds nothing to the divergence', () => {
  const P = affinitiesOf(clouds(12, [[0, 0, 0]]), 3);
  const y = Float64Array.from({ length: 24 }, (_, k) => noise(k + 100));
  const more = {
    first: Int32Array.from([...P.first, 0]),
    second: Int32Array.from([...P.second, 1]),
    p: Float64Array.from([...P.p, 0]),
  };
  expect(divergence(more, y)).toBe(divergence(P, y));
});

it('cells suffice for points that lie as close as they can, in as many places as can be', () => {
  const [places, together] = [40, 13];
  const y = Float64Array.from({ length: 2 * places * together }, (_, k) => {
    const place = Math.floor(k / 2 / together);
    return 100 * noise(2 * place + (k % 2)) + 1e-9 * noise(k);
  });
  const found = new Float64Array(y.length);
  const Z = new Repulsion(y.length / 2, 0).of(y, found);
  let exact = 0;
  for (let i = 0; i < y.length; i += 2)
    for (let j = 0; j < y.length; j += 2)
      if (i !== j) exact += 1 / (1 + (y[i] - y[j]) ** 2 + (y[i + 1] - y[j + 1]) ** 2);
  expect(Z).toBeCloseTo(exact, 6);
});

it('the principal plane of one point, however often, is that point', () => {
  expect([...principalPlane({ values: new Float32Array(12), count: 4 })]).toEqual(Array.from({ length: 8 }, () => 0));
});

it('the principal plane is that of the longest directions', () => {
  const values = Float32Array.from({ length: 200 * 3 }, (_, k) => [1, 10, 3][k % 3] * noise(k) + 5);
  const plane = principalPlane({ values, count: 200 });
  const [first, second] = [1, 2].map((d) => Array.from({ length: 200 }, (_, i) => values[3 * i + d] - 5));
  const correlation = (a: number[], at: number): number => {
    const b = a.map((_, i) => plane[2 * i + at]);
    const dot = (x: number[], z: number[]): number => x.reduce((sum, value, i) => sum + value * z[i], 0);
    return Math.abs(dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  expect(correlation(first, 0)).toBeGreaterThan(0.97);
  expect(correlation(second, 1)).toBeGreaterThan(0.9);
  const spread = Math.hypot(...Array.from({ length: 200 }, (_, i) => plane[2 * i])) / Math.sqrt(200);
  expect(spread).toBeCloseTo(1e-4, 8);
});

describe('a layout', () => {
  const isFirst = (count: number): boolean[] => Array.from({ length: count }, (_, i) => i % 2 === 0);
  const layout = (points: Points): Points => ({
    values: Float32Array.from(tsne(points, { perplexity: 10, iterations: 300 })),
    count: points.count,
  });

  it('keeps groups apart that are apart, and mixed ones mixed', () => {
    const apart = clouds(80, [
      [0, 0, 0, 0, 0],
      [6, -6, 6, 0, 6],
    ]);
    expect(ownNeighbours(squaredDistances(apart), isFirst(80))).toBe(1);
    expect(ownNeighbours(squaredDistances(layout(apart)), isFirst(80))).toBeGreaterThan(0.95);
    const mixed = clouds(80, [[0, 0, 0, 0, 0]]);
    expect(ownNeighbours(squaredDistances(mixed), isFirst(80))).toBeLessThan(0.65);
    expect(ownNeighbours(squaredDistances(layout(mixed)), isFirst(80))).toBeLessThan(0.65);
  });

  // Van der Maaten's rule in plain words: affinities 12 times as large for the first third (at most 250 steps), momentum
  // 0.5, then 0.8; gains of each coordinate; a learning rate of N / 48, at least 50.
  it('follows the published rule, step by step', () => {
    const [N, steps] = [40, 9];
    const P = affinitiesOf(cloud, 10, 31);
    const expected = Float64Array.from(principalPlane(cloud));
    const [speed, gain] = [new Float64Array(2 * N), new Float64Array(2 * N).fill(1)];
    for (let step = 0; step < steps; step++) {
      const early = step < 3;
      const gradient = new Float64Array(2 * N);
      const repulsion = new Repulsion(N, 0);
      layoutGradient(P, { y: expected, repulsion, exaggeration: early ? 12 : 1 }, gradient);
      for (let k = 0; k < 2 * N; k++) {
        gain[k] = gradient[k] * speed[k] > 0 ? gain[k] * 0.8 : gain[k] + 0.2;
        speed[k] = speed[k] * (early ? 0.5 : 0.8) - 50 * Math.max(gain[k], 0.01) * gradient[k];
        expected[k] += speed[k];
      }
    }
    const found = tsne(cloud, { perplexity: 10, iterations: steps, theta: 0 });
    found.forEach((x, k) => expect(Math.abs(x - expected[k])).toBeLessThan(1e-9 * Math.max(1, Math.abs(expected[k]))));
  });

  it('is the same for the same points, and finite for equal ones', () => {
    expect(layout(cloud).values).toEqual(layout(cloud).values);
    const equal = { values: new Float32Array(40 * 3).fill(2), count: 40 };
    expect(layout(equal).values.every(Number.isFinite)).toBe(true);
  });

  it('needs points enough', () => {
    expect(() => tsne(cloud)).toThrow('expected at least 90 points for a perplexity of 30, received 40');
  });
});
