import { mostRowsOfRank, requireRowsForRanks, shareOfStep } from './share.js';

const recipeOf = (forgetRows: number, replayRows: number, accumulate: number) => ({
  batch: { forgetRows, replayRows, accumulate },
});

/** The indices of a range's rows. */
const rowsIn = ({ start, count }: { start: number; count: number }): number[] =>
  Array.from({ length: count }, (_, i) => start + i);

it('one process has the micro-batches of the recipe', () => {
  expect(shareOfStep(recipeOf(2, 3, 2), 3, { rank: 0, size: 1 })).toEqual([
    { forget: { start: 8, count: 2 }, replay: { start: 12, count: 3 } },
    { forget: { start: 10, count: 2 }, replay: { start: 15, count: 3 } },
  ]);
});

it('the largest micro-batch is that of the rank with most rows', () => {
  expect(mostRowsOfRank(recipeOf(2, 3, 2), 1)).toEqual({ forget: 2, replay: 3 });
  expect(mostRowsOfRank(recipeOf(2, 3, 2), 3)).toEqual({ forget: 2, replay: 2 });
  expect(mostRowsOfRank(recipeOf(0, 4, 1), 4)).toEqual({ forget: 0, replay: 1 });
});

it.each([
  [2, 2, 2],
  [0, 4, 1],
  [1, 3, 1],
  [2, 6, 3],
  [3, 5, 4],
  [1, 1, 7],
  [5, 0, 2],
])(
  '%d forget and %d replay rows, %d micro-batches: every row once, shares alike, micro-batches no larger',
  (f, r, n) => {
    const recipe = recipeOf(f, r, n);
    for (let size = 1; size <= n * (f + r); size++) {
      const ranks = Array.from({ length: size }, (_, rank) => shareOfStep(recipe, 2, { rank, size }));
      const rows = (role: 'forget' | 'replay'): number[] => ranks.flat().flatMap((micro) => rowsIn(micro[role]));
      expect(rows('forget')).toEqual(rowsIn({ start: n * f, count: n * f }));
      expect(rows('replay')).toEqual(rowsIn({ start: n * r, count: n * r }));
      const sizes = ranks.map((micros) =>
        micros.reduce((sum, { forget, replay }) => sum + forget.count + replay.count, 0),
      );
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      for (const { forget, replay } of ranks.flat()) {
        expect(forget.count).toBeLessThanOrEqual(f);
        expect(replay.count).toBeLessThanOrEqual(r);
      }
    }
  },
);

it('more ranks than rows are refused', () => {
  expect(() => requireRowsForRanks(recipeOf(1, 2, 2), 6)).not.toThrow();
  expect(() => requireRowsForRanks(recipeOf(1, 2, 2), 7)).toThrow('a step has 6 rows, and there are 7 ranks');
});
