import { seededRandom } from '@lethe/run';
import type { FollowCategory } from './follow-item.js';
import { type FollowOutcome, scoreFollow } from './score-follow.js';

/** The five levels of a group: `+` all satisfied, `-` none, `/` the first of two, `?` not scored. */
const group = (name: string, levels: string): FollowOutcome[] =>
  [...levels].map((sign, i) => {
    const satisfied = { '+': [true], '-': [false], '/': [true, false] }[sign];
    const category = name.split('/')[0] as FollowCategory;
    return { item: { category, group: name, level: i + 1 }, ...(satisfied && { satisfied }) };
  });

it('means of categories by level, then of levels', () => {
  const outcomes = [...group('content/1', '++-//'), ...group('content/2', '+----'), ...group('style/1', '+++-/')];
  const { hsr, ssr, csl, weighted, byLevel, byCategory, byCategoryAndLevel } = scoreFollow(outcomes);
  // By level, content: 1, 1/2, 0, 0, 0; style: 1, 1, 1, 0, 0.
  expect(byLevel.map((level) => level.hsr.value)).toEqual([1, 0.75, 0.5, 0, 0]);
  expect(byLevel.map((level) => level.ssr.value)).toEqual([1, 0.75, 0.5, 0.125, 0.375]);
  expect([hsr.value, ssr.value]).toEqual([2.25 / 5, 2.75 / 5]);
  expect(weighted.hsr).toMatchObject({ value: (1 * 1 + 2 * 0.75 + 3 * 0.5) / 15, n: 15 });
  expect(weighted.ssr.value).toBeCloseTo((1 + 2 * 0.75 + 3 * 0.5 + 4 * 0.125 + 5 * 0.375) / 15, 12);
  expect(weighted.hsr.low).toBeLessThanOrEqual(weighted.hsr.value);
  expect(weighted.hsr.high).toBeGreaterThanOrEqual(weighted.hsr.value);
  expect(byCategory.map(({ category, ...one }) => [category, one.hsr.value, one.ssr.value, one.csl.value])).toEqual([
    ['content', 0.3, 0.4, 1.5],
    ['style', 0.6, 0.7, 3],
  ]);
  expect(csl.value).toBeCloseTo((2 + 1 + 3) / 3, 12);
  expect([hsr.n, byLevel[0].hsr.n, byCategory[0].hsr.n, csl.n]).toEqual([15, 3, 10, 3]);
  expect(byCategoryAndLevel).toHaveLength(10);
  expect(byCategoryAndLevel[4]).toMatchObject({
    category: 'content',
    level: 5,
    hsr: { value: 0 },
    ssr: { value: 0.25 },
  });
});

it('intervals are of groups: what one group shows five times is one observation', () => {
  const alike = Array.from({ length: 20 }, (_, i) => group(`content/${i}`, i % 2 === 0 ? '+++++' : '-----')).flat();
  const { hsr } = scoreFollow(alike);
  // 20 coin flips: a standard deviation of 0.11, not the 0.05 of 100 flips.
  expect(hsr.low).toBeLessThan(0.35);
  expect(hsr.high).toBeGreaterThan(0.65);
  expect(scoreFollow(alike)).toEqual(scoreFollow(alike));
});

it('what is not scored is left out, and a group is consistent as far as it is known', () => {
  const outcomes = [...group('content/1', '+?+++'), ...group('content/2', '+-?++'), ...group('style/1', '?????')];
  const { hsr, csl, byLevel, byCategory } = scoreFollow(outcomes);
  expect(byCategory.map(({ category }) => category)).toEqual(['content']);
  expect(byLevel.map((level) => [level.hsr.value, level.hsr.n])).toEqual([
    [1, 2],
    [0, 1],
    [1, 1],
    [1, 2],
    [1, 2],
  ]);
  expect(hsr).toMatchObject({ value: 0.8, n: 8 });
  expect(scoreFollow(group('content/1', '+?--+')).weighted.hsr.value).toBeCloseTo((1 + 5) / (1 + 3 + 4 + 5), 12);
  // Both pass level 1; at level 2 one is known, and fails.
  expect(csl).toMatchObject({ value: 1, n: 2 });
});

it('what is not scored does not shorten what is: 30% unread judgements leave the mean where it was', () => {
  const random = seededRandom(1, 'unread');
  const outcomes = Array.from({ length: 400 }, (_, i) => {
    const numPassed = Array.from({ length: 5 }, () => random.next() < 0.8).findIndex((passes) => !passes);
    return group(`content/${i}`, '+'.repeat(numPassed < 0 ? 5 : numPassed).padEnd(5, '-'));
  }).flat();
  const read = outcomes.map(({ item, satisfied }) =>
    random.next() < 0.3 ? { item } : { item, satisfied: satisfied! },
  );
  const truth = 0.8 + 0.8 ** 2 + 0.8 ** 3 + 0.8 ** 4 + 0.8 ** 5;
  expect(Math.abs(scoreFollow(outcomes).csl.value - truth)).toBeLessThan(0.25);
  expect(Math.abs(scoreFollow(read).csl.value - truth)).toBeLessThan(0.3);
});

it('no mean of levels in a row is told where nothing is known of a level that groups came to', () => {
  expect(scoreFollow(group('content/1', '+?+++')).csl.value).toBeNaN();
});

it('nothing scored: no value', () => {
  const { hsr, csl } = scoreFollow(group('content/1', '?????'));
  expect([hsr.value, hsr.n, csl.value, csl.n]).toEqual([NaN, 0, NaN, 0]);
});
