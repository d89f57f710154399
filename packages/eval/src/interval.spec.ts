import { seededRandom } from '@lethe/run';
import { macroInterval, meanInterval, shareInterval, t95, wilson } from './interval.js';

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

describe('t95', () => {
  // R: qt(0.975, n).
  it.each([
    [1, 12.7062],
    [2, 4.302653],
    [3, 3.182446],
    [7, 2.364624],
    [30, 2.042272],
    [1000, 1.962339],
  ])('of %d degrees of freedom', (degrees, t) => {
    expect(Math.abs(t95(degrees) / t - 1)).toBeLessThan(0.002);
  });

  it('of less than one degree of freedom is that of one', () => expect(t95(0.4)).toBe(t95(1)));
});

/** How far the ends of an interval are from its value, in standard errors: 1.96 where it is normal. */
const ends = ({ value, low, high }: { value: number; low: number; high: number }, standardError: number): number[] => [
  (value - low) / standardError,
  (high - value) / standardError,
];

/** Holds 95% (1.96) apart from 90% (1.645) and 98% (2.33). */
function expectNormal(distances: number[]): void {
  for (const distance of distances) {
    expect(distance).toBeGreaterThan(1.84);
    expect(distance).toBeLessThan(2.08);
  }
}

describe('meanInterval', () => {
  const values = Array.from({ length: 400 }, (_, i) => 0.5 + 0.2 * Math.sin(i));

  it('is near the normal interval where there are many values', () => {
    const score = meanInterval(values);
    const variance = values.reduce((sum, x) => sum + (x - score.value) ** 2, 0) / 400;
    expectNormal(ends(score, Math.sqrt(variance / 400)));
    expect(score.n).toBe(400);
  });

  it('is Wilson’s for values of 0 and 1, one value included', () => {
    expect(meanInterval([1, 0, 1, 1])).toEqual(wilson(3, 4));
    expect(meanInterval([1])).toEqual(wilson(1, 1));
    expect(meanInterval([1]).low).toBeLessThan(0.21);
  });

  it('of equal fractions has a width, which more of them make smaller', () => {
    const width = (n: number): number => {
      const { low, high } = meanInterval(Array.from({ length: n }, () => 0.5));
      return high - low;
    };
    expect(width(3)).toBeGreaterThan(0.3);
    expect(width(300)).toBeLessThan(width(30) / 5);
    expect(width(300)).toBeGreaterThan(0);
  });
});

describe('macroInterval', () => {
  it('weighs groups alike, and leaves empty ones out', () => {
    const large = Array.from({ length: 60 }, (_, i) => i % 2);
    const small = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const score = macroInterval([large, [], small]);
    expect(score).toMatchObject({ value: (0.5 + 0.25) / 2, n: 100 });
    const { low, high } = score;
    expect((high - low) / 2 / Math.sqrt((0.375 * 0.625) / (4 / (1 / 60 + 1 / 40)))).toBeCloseTo(1.93, 1);
    expect(macroInterval([[], []])).toEqual({ value: NaN, low: 0, high: 1, n: 0 });
  });

  it('is as wide as its smallest group makes it', () => {
    const [one, many] = [[1], Array.from({ length: 1000 }, (_, i) => i % 2)];
    expect(macroInterval([one, many]).low).toBeLessThan(0.4);
    expect(macroInterval([[1], [1]])).toMatchObject({ value: 1, high: 1, low: wilson(2, 2).low });
  });
});

describe('shareInterval', () => {
  it('weighs clusters by their parts', () => {
    const clusters = [
      { part: 1, whole: 1 },
      { part: 0, whole: 3 },
    ];
    expect(shareInterval(clusters)).toMatchObject({ value: 0.25, n: 4 });
    expect(shareInterval(clusters).high).toBeGreaterThan(0.9);
    expect(shareInterval([])).toEqual({ value: NaN, low: 0, high: 1, n: 0 });
  });

  it('is as wide as the mean of clusters whose parts always agree, not of so many single parts', () => {
    const agreeing = Array.from({ length: 400 }, (_, i) => ({ part: i % 2 ? 4 : 0, whole: 4 }));
    expectNormal(ends(shareInterval(agreeing), Math.sqrt(0.25 / 400)));
  });

  it('is no narrower than so many independent parts', () => {
    const spread = Array.from({ length: 200 }, () => ({ part: 2, whole: 4 }));
    const [share, single] = [shareInterval(spread), wilson(400, 800)];
    expect(share.high - share.low).toBeGreaterThanOrEqual(single.high - single.low);
  });
});
