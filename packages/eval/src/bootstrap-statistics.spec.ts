import { seededRandom } from '@lethe/run';
import { bootstrapStatistics, expandedPercentiles, normalBelow } from './bootstrap-statistics.js';

const drawing = () => ({ random: seededRandom(1, 'bootstrap').next, range: () => ({ least: 0, most: 10 }) });
const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

it('has the interval of the normal approximation, and several statistics of the same drawings', () => {
  const values = Array.from({ length: 400 }, (_, i) => i % 2);
  const { m, half } = bootstrapStatistics(
    [values],
    ([drawn]) => ({ m: mean(drawn), half: mean(drawn) / 2 }),
    drawing(),
  );
  expect(m.value).toBe(0.5);
  const standardError = Math.sqrt(0.25 / 400);
  // 90% would end at 1.645 standard errors, 95% ends at 1.96.
  for (const distance of [m.value - m.low, m.high - m.value])
    expect(Math.abs(distance / standardError - 1.96)).toBeLessThan(0.1);
  expect([half.low, half.high]).toEqual([m.low / 2, m.high / 2]);
});

it('draws within strata: what does not vary within them leaves open only what so few values do', () => {
  const statistics = (drawn: number[][]): { m: number } => ({ m: mean(drawn.flat()) });
  const within = bootstrapStatistics(
    [
      [1, 1],
      [5, 5],
    ],
    statistics,
    drawing(),
  ).m;
  const open = 1.959963984540054 ** 2 / (4 + 1.959963984540054 ** 2);
  expect(within.value).toBe(3);
  expect([within.low, within.high]).toEqual([3 - open * 3, 3 + open * 7]);
  const { low, high } = bootstrapStatistics([[1, 1, 5, 5]], statistics, drawing()).m;
  expect([low, high]).toEqual([1, 5]);
});

it('leaves out drawings that leave a statistic undefined', () => {
  const ofOnes = ([drawn]: number[][]): { m: number } => ({ m: mean(drawn.filter((x) => x > 0)) });
  const { value, low, high } = bootstrapStatistics([[0, 1]], ofOnes, drawing()).m;
  expect([value, low < 1, high > 1]).toEqual([1, true, true]);
  expect(bootstrapStatistics([[0, 0]], ofOnes, drawing()).m).toEqual({ value: NaN, low: NaN, high: NaN });
});

it('leaves 2.5% out on each side where there are many items, less where there are few', () => {
  const sorted = Array.from({ length: 100_001 }, (_, i) => i);
  const { low, high } = expandedPercentiles(sorted, 1e6);
  expect(Math.abs(low - 2500)).toBeLessThan(10);
  expect(Math.abs(high - 97_500)).toBeLessThan(10);
  // R: pnorm(-sqrt(8 / 7) * qt(0.975, 7)) = 0.00574.
  expect(Math.abs(expandedPercentiles(sorted, 8).low - 574)).toBeLessThan(10);
});

it('normalBelow is the normal distribution', () => {
  // R: pnorm(c(-3, -1.96, 0, 1)).
  for (const [x, p] of [
    [-3, 0.001349898],
    [-1.96, 0.0249979],
    [0, 0.5],
    [1, 0.8413447],
  ])
    expect(Math.abs(normalBelow(x) - p)).toBeLessThan(1e-6);
});
