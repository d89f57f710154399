import { distributionShift, mean, variance } from './distribution-shift.js';

/** A deterministic sample, uneven in its tails. */
const sampleOf = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + seed) + 0.3 * Math.exp(Math.cos(1.7 * i)));

describe('distributionShift', () => {
  it('has the hand-computed values of a small case', () => {
    // F of {1, 2, 4} against F of {2, 3}: gaps 1/3 on [1, 2), 2/3 - 1/2 on [2, 3), 2/3 - 1 on [3, 4).
    const { meanDifference, varianceRatio, wasserstein1, ks } = distributionShift([4, 1, 2], [3, 2]);
    expect(meanDifference).toBeCloseTo(7 / 3 - 5 / 2, 12);
    expect(varianceRatio).toBeCloseTo(7 / 3 / 0.5, 12);
    expect(wasserstein1).toBeCloseTo(1 / 3 + 1 / 6 + 1 / 3, 12);
    expect(ks).toBeCloseTo(1 / 3, 12);
  });

  it('is nothing between a sample and itself, in any order or repeated', () => {
    const sample = sampleOf(50, 0);
    const nothing = { meanDifference: 0, varianceRatio: 1, wasserstein1: 0, ks: 0 };
    expect(distributionShift([...sample].reverse(), sample)).toMatchObject({ wasserstein1: 0, ks: 0 });
    expect(distributionShift(sample, sample)).toEqual(nothing);
    const doubled = distributionShift([...sample, ...sample], sample);
    expect(doubled.wasserstein1).toBeCloseTo(0, 12);
    expect(doubled.ks).toBeCloseTo(0, 12);
  });

  it.each([0.25, -3, 40])('of a sample shifted by %d has that mean difference, and its size as Wasserstein-1', (by) => {
    const reference = sampleOf(80, 1);
    const { meanDifference, wasserstein1, varianceRatio, ks } = distributionShift(
      reference.map((x) => x + by),
      reference,
    );
    expect(meanDifference).toBeCloseTo(by, 10);
    expect(wasserstein1).toBeCloseTo(Math.abs(by), 10);
    expect(varianceRatio).toBeCloseTo(1, 10);
    expect(ks).toBeGreaterThan(0);
    expect(ks).toBeLessThanOrEqual(1);
  });

  it('KS is 1 for samples that do not overlap', () => {
    expect(distributionShift([1, 2, 3], [10, 11]).ks).toBe(1);
  });

  it('is symmetric in its distances and scales with the unit', () => {
    const [a, b] = [sampleOf(30, 2), sampleOf(47, 5)];
    const [ab, ba] = [distributionShift(a, b), distributionShift(b, a)];
    expect(ba.wasserstein1).toBeCloseTo(ab.wasserstein1, 12);
    expect(ba.ks).toBeCloseTo(ab.ks, 12);
    const scaled = distributionShift(
      a.map((x) => 10 * x),
      b.map((x) => 10 * x),
    );
    expect(scaled.wasserstein1).toBeCloseTo(10 * ab.wasserstein1, 10);
    expect(scaled.ks).toBeCloseTo(ab.ks, 12);
  });

  it.each([
    ['one value', [1], [1, 2], 'sample'],
    ['no value', [1, 2], [], 'reference'],
    ['a NaN', [1, NaN], [1, 2], 'sample'],
    ['an infinity', [1, 2], [Infinity, 2], 'reference'],
  ])('refuses %s', (_case, sample, reference, name) => {
    expect(() => distributionShift(sample, reference)).toThrow(new RegExp(`finite values in ${name}`));
  });

  it('mean and variance are the arithmetic and the unbiased one', () => {
    expect([mean([1, 2, 6]), variance([1, 2, 6])]).toEqual([3, 7]);
  });
});
