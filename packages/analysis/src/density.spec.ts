import { kernelDensity, silvermanBandwidth } from './density.js';

const sample = Array.from({ length: 120 }, (_, i) => Math.sin(1.3 * i) + 0.02 * i);

const area = ({ x, y }: { x: number[]; y: number[] }): number =>
  x.slice(1).reduce((sum, at, i) => sum + ((y[i] + y[i + 1]) / 2) * (at - x[i]), 0);

describe('kernelDensity', () => {
  it.each([undefined, 0.05, 2])('integrates to 1 (bandwidth %s) and is never negative', (bandwidth) => {
    const curve = kernelDensity(sample, { from: -20, to: 25, points: 4001, bandwidth });
    expect(area(curve)).toBeCloseTo(1, 4);
    expect(curve.y.every((y) => y >= 0 && Number.isFinite(y))).toBe(true);
  });

  it('is the Gaussian itself for one value', () => {
    const { x, y } = kernelDensity([2], { from: 0, to: 4, points: 5, bandwidth: 1 });
    expect(x).toEqual([0, 1, 2, 3, 4]);
    x.forEach((at, i) => expect(y[i]).toBeCloseTo(Math.exp(-0.5 * (at - 2) ** 2) / Math.sqrt(2 * Math.PI), 12));
  });

  it('moves with its sample', () => {
    const moved = kernelDensity(
      sample.map((value) => value + 5),
      { from: 5, to: 8, points: 7 },
    );
    const still = kernelDensity(sample, { from: 0, to: 3, points: 7 });
    moved.y.forEach((y, i) => expect(y).toBeCloseTo(still.y[i], 10));
  });

  it('of equal values is finite', () => {
    expect(kernelDensity([1, 1, 1], { from: 0, to: 2 }).y.every(Number.isFinite)).toBe(true);
  });
});

describe('silvermanBandwidth', () => {
  it('is 0.9 min(s, IQR / 1.34) n^(-1/5)', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 100];
    // Quartiles at sorted[2] = 3 and sorted[6] = 7; the outlier makes s much larger than IQR / 1.34.
    expect(silvermanBandwidth(values)).toBeCloseTo(0.9 * (4 / 1.34) * 8 ** -0.2, 12);
  });

  it('scales with the sample', () => {
    expect(silvermanBandwidth(sample.map((x) => 3 * x))).toBeCloseTo(3 * silvermanBandwidth(sample), 10);
  });
});
