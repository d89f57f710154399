import { seededRandom } from '@lethe/run';
import { bootstrapStatistics } from './bootstrap-statistics.js';

const random = (): (() => number) => seededRandom(1, 'bootstrap').next;
const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

it('has the interval of the normal approximation, and several statistics of the same drawings', () => {
  const values = Array.from({ length: 400 }, (_, i) => i % 2);
  const { m, half } = bootstrapStatistics([values], ([drawn]) => ({ m: mean(drawn), half: mean(drawn) / 2 }), random());
  expect(m.value).toBe(0.5);
  const standardError = Math.sqrt(0.25 / 400);
  // 90% would end at 1.645 standard errors, 95% ends at 1.96.
  for (const distance of [m.value - m.low, m.high - m.value])
    expect(Math.abs(distance / standardError - 1.96)).toBeLessThan(0.1);
  expect([half.low, half.high]).toEqual([m.low / 2, m.high / 2]);
});

it('draws within strata: what does not vary within them does not vary', () => {
  const statistics = (drawn: number[][]): { m: number } => ({ m: mean(drawn.flat()) });
  expect(
    bootstrapStatistics(
      [
        [1, 1],
        [5, 5],
      ],
      statistics,
      random(),
    ).m,
  ).toEqual({ value: 3, low: 3, high: 3 });
  const { low, high } = bootstrapStatistics([[1, 1, 5, 5]], statistics, random()).m;
  expect([low, high]).toEqual([1, 5]);
});

it('leaves out drawings that leave a statistic undefined', () => {
  const ofOnes = ([drawn]: number[][]): { m: number } => ({ m: mean(drawn.filter((x) => x > 0)) });
  expect(bootstrapStatistics([[0, 1]], ofOnes, random()).m).toEqual({ value: 1, low: 1, high: 1 });
  expect(bootstrapStatistics([[0, 0]], ofOnes, random()).m).toEqual({ value: NaN, low: NaN, high: NaN });
});
