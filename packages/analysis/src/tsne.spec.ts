import { principalPlane } from './principal-plane.js';
import { ownNeighbours } from './separation.js';
import { affinities, layoutGradient, type Points, squaredDistances, tsne } from './tsne.js';

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

describe('affinities', () => {
  it('are symmetric, sum to 1, and are largest for neighbours', () => {
    const P = affinities(squaredDistances(cloud), 5);
    expect(P.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    for (let i = 0; i < 40; i++) {
      expect(P[i * 40 + i]).toBe(0);
      for (let j = 0; j < i; j++) expect(P[i * 40 + j]).toBe(P[j * 40 + i]);
    }
    const line = affinities(squaredDistances({ values: Float32Array.from([0, 1, 2, 3, 50, 51, 52, 53]), count: 8 }), 2);
    expect(line[1]).toBeGreaterThan(20 * line[4]);
  });

  it('have the entropy asked for, whatever the scale', () => {
    // On a circle all rows are alike, so that the symmetric affinities are the conditional ones over N.
    const N = 30;
    for (const scale of [1e-3, 1, 1e3]) {
      const values = Float32Array.from({ length: 2 * N }, (_, k) => {
        const angle = (2 * Math.PI * (k >> 1)) / N;
        return scale * (k & 1 ? Math.sin(angle) : Math.cos(angle));
      });
      const row = affinities(squaredDistances({ values, count: N }), 7).subarray(0, N);
      const entropy = -row.reduce((sum, p) => sum + (p > 0 ? N * p * Math.log(N * p) : 0), 0);
      expect(Math.exp(entropy)).toBeCloseTo(7, 2);
    }
  });
});

it('the gradient is that of the KL divergence', () => {
  const N = 12;
  const P = affinities(squaredDistances(clouds(N, [[0, 0, 0]])), 3);
  const y = Float64Array.from({ length: 2 * N }, (_, k) => noise(k + 100));
  const divergence = (): number => {
    const kernel = (i: number, j: number): number =>
      1 / (1 + (y[2 * i] - y[2 * j]) ** 2 + (y[2 * i + 1] - y[2 * j + 1]) ** 2);
    let [Z, sum] = [0, 0];
    for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) if (i !== j) Z += kernel(i, j);
    for (let i = 0; i < N; i++)
      for (let j = 0; j < N; j++) if (i !== j) sum += P[i * N + j] * Math.log((P[i * N + j] * Z) / kernel(i, j));
    return sum;
  };
  const gradient = new Float64Array(2 * N);
  layoutGradient(P, y, 1, gradient);
  for (let k = 0; k < 2 * N; k++) {
    const [at, h] = [y[k], 1e-5];
    y[k] = at + h;
    const above = divergence();
    y[k] = at - h;
    expect(gradient[k]).toBeCloseTo((above - divergence()) / (2 * h), 6);
    y[k] = at;
  }
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
    const P = affinities(squaredDistances(cloud), 10);
    const expected = Float64Array.from(principalPlane(cloud));
    const [speed, gain] = [new Float64Array(2 * N), new Float64Array(2 * N).fill(1)];
    for (let step = 0; step < steps; step++) {
      const early = step < 3;
      const gradient = new Float64Array(2 * N);
      layoutGradient(P, expected, early ? 12 : 1, gradient);
      for (let k = 0; k < 2 * N; k++) {
        gain[k] = gradient[k] * speed[k] > 0 ? gain[k] * 0.8 : gain[k] + 0.2;
        speed[k] = speed[k] * (early ? 0.5 : 0.8) - 50 * Math.max(gain[k], 0.01) * gradient[k];
        expected[k] += speed[k];
      }
    }
    const found = tsne(cloud, { perplexity: 10, iterations: steps });
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
