import { seededRandom } from '@lethe/run';
import { bootstrapGroups, bootstrapMean, bootstrapRatio, percentiles, wilson } from './interval.js';

describe('wilson', () => {
  // Values of R: prop.test(k, n, correct = FALSE)$conf.int.
  it.each([
    [5, 10, 0.2365931, 0.7634069],
    [81, 263, 0.2552957, 0.3662145],
    [1, 29, 0.006113214, 0.1717567],
    [0, 20, 0, 0.1611252],
    [20, 20, 0.8388748, 1],
  ])('%d of %d', (k, n, low, high) => {
    const score = wilson(k, n);
    expect(score).toMatchObject({ value: k / n, n });
    expect(score.low).toBeCloseTo(low, 4);
    expect(score.high).toBeCloseTo(high, 4);
  });

  it('nothing scored says nothing', () => {
    expect(wilson(0, 0)).toEqual({ value: NaN, low: 0, high: 1, n: 0 });
  });

  it('covers the truth about 95% of the time', () => {
    const random = seededRandom(1, 'coverage');
    let covered = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const k = Array.from({ length: 60 }, () => random.next() < 0.3).filter(Boolean).length;
      const { low, high } = wilson(k, 60);
      if (low <= 0.3 && 0.3 <= high) covered++;
    }
    expect(covered / 2000).toBeGreaterThan(0.93);
    expect(covered / 2000).toBeLessThan(0.98);
  });
});

describe('percentiles', () => {
  it('leave 2.5% out on each side', () => {
    expect(percentiles(Array.from({ length: 1001 }, (_, i) => i))).toEqual({ low: 25, high: 975 });
    expect(percentiles([7])).toEqual({ low: 7, high: 7 });
  });
});

/** How far the ends of an interval are from its value, in standard errors: 1.96 where it is normal. */
const ends = ({ value, low, high }: { value: number; low: number; high: number }, standardError: number): number[] => [
  (value - low) / standardError,
  (high - value) / standardError,
];

/** Holds 95% (1.96) apart from 90% (1.645) and 98% (2.33). */
function expectNormal(distances: number[]): void {
  for (const distance of distances) {
    expect(distance).toBeGreaterThan(1.86);
    expect(distance).toBeLessThan(2.06);
  }
}

describe('bootstrapMean', () => {
  const values = Array.from({ length: 200 }, (_, i) => Math.sin(i) + 2);

  it('is near the normal interval and the same for the same seed', () => {
    const run = () => bootstrapMean(values, seededRandom(3, 'bootstrap').next);
    const { value, low, high, n } = run();
    expect(n).toBe(200);
    const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / 200;
    expectNormal(ends({ value, low, high }, Math.sqrt(variance / 200)));
    expect(run()).toEqual({ value, low, high, n });
  });

  it('of equal values has no width', () => {
    expect(bootstrapMean([2, 2, 2], Math.random)).toEqual({ value: 2, low: 2, high: 2, n: 3 });
  });
});

describe('bootstrapGroups', () => {
  it('weighs groups alike, draws within them, and leaves empty ones out', () => {
    const large = Array.from({ length: 60 }, (_, i) => i % 2);
    const small = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const score = bootstrapGroups([large, [], small], seededRandom(4, 'groups').next, 4000);
    expect(score).toMatchObject({ value: (0.5 + 0.25) / 2, n: 100 });
    expectNormal(ends(score, Math.sqrt(0.25 / 60 + 0.1875 / 40) / 2));
    expect(bootstrapGroups([[], []], Math.random)).toEqual({ value: NaN, low: 0, high: 1, n: 0 });
  });
});

describe('bootstrapRatio', () => {
  const interval = (clusters: { part: number; whole: number }[]) =>
    bootstrapRatio(clusters, seededRandom(5, 'ratio').next);

  it('weighs clusters by their parts, and is the same for the same seed', () => {
    const clusters = [
      { part: 1, whole: 1 },
      { part: 0, whole: 3 },
    ];
    expect(interval(clusters)).toMatchObject({ value: 0.25, low: 0, high: 1, n: 4 });
    expect(interval(clusters)).toEqual(interval(clusters));
    expect(interval([])).toEqual({ value: NaN, low: 0, high: 1, n: 0 });
  });

  it('is as wide as the mean of clusters whose parts always agree, not of so many single parts', () => {
    const agreeing = Array.from({ length: 100 }, (_, i) => ({ part: i % 2 ? 4 : 0, whole: 4 }));
    const score = interval(agreeing);
    const single = wilson(200, 400);
    expect(score.high - score.low).toBeGreaterThan(1.8 * (single.high - single.low));
    expectNormal(ends(score, Math.sqrt(0.25 / 100)));
  });
});
