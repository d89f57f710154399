import { seededRandom } from '@lethe/run';
import { differences, effectOf, overRuns } from './effect.js';

/** Normal values of five seeds and 30 items around `mean`; seeds differ by 1. */
function drawn(mean: number, seed: number): number[][] {
  const random = seededRandom(seed, 'effect spec');
  return Array.from({ length: 5 }, () => {
    const own = mean + random.normal();
    return Array.from({ length: 30 }, () => own + 3 * random.normal());
  });
}

describe('effects over seeds and items', () => {
  it('an interval holds the mean that the values were drawn around, nearly always', () => {
    const numHeld = Array.from({ length: 60 }, (_, i) => effectOf(drawn(2, i), String(i))).filter(
      ({ low, high }) => low <= 2 && 2 <= high,
    ).length;
    expect(numHeld).toBeGreaterThanOrEqual(53);
  });

  it('seeds that differ make it wider than items alone would', () => {
    const width = (values: number[][]): number => {
      const { low, high } = effectOf(values, 'width');
      return high - low;
    };
    const differing = Array.from({ length: 5 }, (_, seed) => [1, 2, 3, 4, 5].map((own) => drawn(own, seed)[0]));
    const alike = Array.from({ length: 5 }, (_, seed) => [1, 2, 3, 4, 5].map(() => drawn(3, seed)[0]));
    differing.forEach((values, i) => expect(width(values)).toBeGreaterThan(1.2 * width(alike[i])));
  });

  it('its test flips the signs of whole seeds', () => {
    const p = (seeds: number[]): number => effectOf(seeds.map((own) => [own, own + 1, own - 1]), 'signs').p; // prettier-ignore
    expect(p([1, 1, 1, 1, 1])).toBe(2 / 32);
    expect(p([3, 1, -1])).toBe(6 / 8);
    expect(p(Array.from({ length: 40 }, () => 1))).toBeLessThan(0.001);
  });

  it('pairs items, and takes the mean of runs', () => {
    expect(differences([[1, 2], [3, 4]], [[0, 2], [1, 5]])).toEqual([[1, 0], [2, -1]]); // prettier-ignore
    expect(overRuns([[1, 0], [0, 0]])).toEqual([0.5, 0]); // prettier-ignore
  });
});
