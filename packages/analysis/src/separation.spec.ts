import { useDevice } from '@lethe/tensor';
import { seededRandom } from '@lethe/run';
import { areaUnderCurve, ownNeighbours, ownNeighbourShares, separability } from './separation.js';
import { squaredDistances } from './neighbours.js';
import type { Points } from './points.js';

beforeAll(() => useDevice('lethe-cpu'));

it('own neighbours are counted among the nearest', () => {
  const points = squaredDistances({ values: Float32Array.from([0, 1, 2, 10, 11, 12]), count: 6 });
  const groups = [true, true, true, false, false, false];
  expect(ownNeighbours(points, groups, 2)).toBe(1);
  expect(ownNeighbours(points, groups, 5)).toBeCloseTo(2 / 5, 12);
  expect(() => ownNeighbours(points, groups, 6)).toThrow(
    'expected the distances of 6 points, more than 6, received 36',
  );
});

it('a point among the others has none of its own near it', () => {
  const points = squaredDistances({ values: Float32Array.from([0, 1, 2, 1.5, 11, 12]), count: 6 });
  expect(ownNeighbourShares(points, [true, true, true, false, false, false], 2)).toEqual([0.5, 0.5, 0.5, 0, 0.5, 0.5]);
});

it('ten neighbours count unless told otherwise', () => {
  const points = squaredDistances({ values: Float32Array.from({ length: 22 }, (_, i) => i), count: 22 });
  const groups = Array.from({ length: 22 }, (_, i) => i < 11);
  // The first point of 11 has the ten others of its group next to it; the eleventh has five on either side.
  const shares = ownNeighbourShares(points, groups);
  expect(shares).toEqual(ownNeighbourShares(points, groups, 10));
  expect([shares[0], shares[10]]).toEqual([1, 0.5]);
});

it('the area under the curve is the chance of the right order', () => {
  expect(areaUnderCurve([3, 4], [1, 2])).toBe(1);
  expect(areaUnderCurve([1, 2], [3, 4])).toBe(0);
  expect(areaUnderCurve([1, 3], [2, 3])).toBe((0 + 0 + 1 + 0.5) / 4);
});

describe('separability', () => {
  /** Two groups in turns, whose means lie `apart` in the first of 16 dimensions, of very different scales. */
  function groups(apart: number, count = 400): { points: Points; isFirst: boolean[] } {
    const random = seededRandom(1, 'separation spec');
    const values = Array.from({ length: count }, (_, i) =>
      Array.from(
        { length: 16 },
        (_, d) => (d === 0 && i % 2 === 0 ? apart : 0) + (d === 0 ? 1 : 1000) * random.normal(),
      ),
    );
    return {
      points: { values: Float32Array.from(values.flat()), count },
      isFirst: Array.from({ length: count }, (_, i) => i % 2 === 0),
    };
  }
  const of = (apart: number): number => {
    const { points, isFirst } = groups(apart);
    return separability(points, isFirst);
  };

  it('is half by chance, near 1 for groups that lie apart, whatever the scales of dimensions', () => {
    expect(Math.abs(of(0) - 0.5)).toBeLessThan(0.08);
    expect(of(4)).toBeGreaterThan(0.98);
  });

  it('passes over a dimension in which all points are equal', () => {
    const { points, isFirst } = groups(2);
    const withConstant = Array.from({ length: points.count }, (_, i) => [
      7,
      ...points.values.subarray(16 * i, 16 * i + 16),
    ]);
    const wider = { values: Float32Array.from(withConstant.flat()), count: points.count };
    expect(separability(wider, isFirst)).toBe(separability(points, isFirst));
  });

  it('is what two normal distributions have, less what noisy dimensions cost', () => {
    // The chance that a normal difference of mean 2 and variance 2 is positive: 0.921.
    expect(of(2)).toBeGreaterThan(0.86);
    expect(of(2)).toBeLessThan(0.94);
  });
});
