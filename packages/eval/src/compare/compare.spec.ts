import type { Overlaps } from '@lethe/data-pipeline';
import { seededRandom } from '@lethe/run';
import type { EvalItem } from '../items/eval-item.js';
import type { Answered } from '../benchmark/answered.js';
import type { Evaluation } from '../evaluation/evaluation.js';
import { compareEvaluations } from './compare-evaluations.js';
import { compareItems } from './compare-items.js';
import { comparisonRows } from './comparison-rows.js';
import { binaryDifference, macroDifference, tango } from './difference-interval.js';
import { holm, mcNemar, signFlipTest } from './paired-tests.js';

describe('tests of paired items', () => {
  // Exact binomial sums: R's binom.test(lost, lost + recovered)$p.value.
  it.each([
    [0, 0, 1],
    [5, 5, 1],
    [0, 5, 0.0625],
    [1, 9, 0.02148438],
    [12, 30, 0.0079159],
    [70, 41, 0.0075848],
  ])('McNemar: %d lost, %d recovered', (lost, recovered, p) => {
    expect(mcNemar(lost, recovered)).toBeCloseTo(p, 4);
    expect(mcNemar(recovered, lost)).toBe(mcNemar(lost, recovered));
  });

  it('McNemar holds for thousands of items', () => {
    expect(mcNemar(5000, 5000)).toBeCloseTo(1, 9);
    expect(mcNemar(1900, 2100)).toBeGreaterThan(0.001);
    expect(mcNemar(1900, 2100)).toBeLessThan(0.003);
  });

  it('sign flips of equal differences are the two-sided chance of all heads', () => {
    const test = (n: number) => signFlipTest(n, seededRandom(0, 'flips').next);
    expect(test(5)([1, 1, 1, 1, 1])).toBe(0.0625);
    expect(test(3)([3, 1, -1])).toBe(0.75);
    // Beyond 13 signs are drawn: 2 of 2^14 ways, and the observed one counted among 10,001.
    expect(test(14)(Array(14).fill(1))).toBeLessThan(0.001);
    expect(test(14)(Array(14).fill(1))).toBeGreaterThan(0);
    expect(test(2)([0, 0])).toBe(1);
  });

  it('Holm multiplies the smallest most, and keeps the order', () => {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('intervals of a paired difference', () => {
  // Tango 1998, table III, and Newcombe 1998: 43 pairs of 50 concordant, 1 and 6 discordant; R's PropCIs::scoreci.mp.
  it('are Tango’s', () => {
    const { low, high } = tango({ b: 1, c: 0, n: 50 });
    expect(low).toBeCloseTo(-0.053, 2);
    expect(high).toBeCloseTo(0.1049, 2);
    const none = tango({ b: 0, c: 0, n: 44 });
    expect([none.low, none.high].map((x) => Number(x.toFixed(4)))).toEqual([-0.0803, 0.0803]);
  });

  it('hold the ends of the scale', () => {
    expect(tango({ b: 8, c: 0, n: 8 }).high).toBe(1);
    expect(tango({ b: 8, c: 0, n: 8 }).low).toBeGreaterThan(0.1);
    expect(tango({ b: 0, c: 8, n: 8 }).low).toBe(-1);
  });

  it('never contradict their test, whatever the counts', () => {
    for (let n = 1; n <= 40; n++)
      for (let b = 0; b <= n; b++)
        for (let c = 0; b + c <= n; c++)
          for (const { difference, p } of [
            binaryDifference(c, b, n),
            macroDifference([Array.from({ length: n }, (_, i) => (i < b ? 1 : i < b + c ? -1 : 0))]),
          ]) {
            const holds0 = difference.low <= 0 && 0 <= difference.high;
            if (Math.abs(p - 0.05) > 1e-4) expect([n, b, c, holds0]).toEqual([n, b, c, p > 0.05]);
            expect(difference.high - difference.low).toBeGreaterThan(0);
          }
  });
});

describe('two models on the same items', () => {
  const item = (id: string, score: number, more: Partial<EvalItem> = {}): EvalItem => ({
    id,
    gold: 'A',
    prediction: 'A',
    score,
    ...more,
  });
  const answers = (scores: number[], group?: (i: number) => string): EvalItem[] =>
    scores.map((score, i) => item(String(i), score, group && { group: group(i) }));

  it('lists what was lost and recovered; items of one alone are left out and counted', () => {
    const before = [...answers([1, 1, 0, 0, 1]), item('only before', 1)];
    const result = compareItems('B', { before, after: answers([1, 0, 1, 1, 1]).toReversed(), average: 'micro' });
    expect(result).toMatchObject({ n: 5, numUnpaired: 1, before: 0.6, after: 0.8, test: 'mcnemar', p: 1 });
    expect(result.difference.value).toBeCloseTo(0.2, 12);
    expect(result.lost.map((pair) => pair.before.id)).toEqual(['1']);
    expect(result.recovered.map((pair) => pair.after.id)).toEqual(['2', '3']);
  });

  it('the interval is of the paired difference: narrow where both fail on the same items', () => {
    const hard = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 1 : 0));
    const better = hard.map((score, i) => (i % 40 === 1 ? 1 : score));
    const { difference, p } = compareItems('B', { before: answers(hard), after: answers(better), average: 'micro' });
    expect(difference.value).toBeCloseTo(10 / 400, 12);
    expect(difference.low).toBeGreaterThan(0.005);
    expect(difference.high).toBeLessThan(0.046);
    expect(p).toBeCloseTo(2 / 2 ** 10, 9);
  });

  it('macro averages count groups alike', () => {
    const group = (i: number): string => (i < 3 ? 'large' : 'small');
    const [before, after] = [answers([0, 0, 0, 1], group), answers([1, 1, 1, 0], group)];
    expect(compareItems('B', { before, after, average: 'macro' })).toMatchObject({
      before: 0.5,
      after: 0.5,
      difference: { value: 0 },
    });
  });

  it('shares of samples are compared by flipping signs', () => {
    const result = compareItems('B', { before: answers([0.5, 0.25]), after: answers([0.75, 0.5]), average: 'micro' });
    expect(result).toMatchObject({ test: 'sign-flip', difference: { value: 0.25 } });
    expect(result.p).toBeCloseTo(0.5, 1);
  });

  it('items that depend on each other are drawn and flipped together', () => {
    const cluster = (i: number, size: number): Partial<EvalItem> => ({ cluster: String(Math.floor(i / size)) });
    const compare = (size: number) => {
      const made = (score: (i: number) => number): EvalItem[] =>
        Array.from({ length: 40 }, (_, i) => item(String(i), score(i), cluster(i, size)));
      // Five neighbours change alike: up in six of eight fives, down in two.
      const change = (i: number): number => (Math.floor(i / 5) % 4 === 3 ? 0 : 1);
      return compareItems('B', { before: made((i) => 1 - change(i)), after: made(change), average: 'micro' });
    };
    const [together, apart] = [compare(5), compare(1)];
    for (const { difference } of [together, apart]) expect(difference.value).toBeCloseTo(0.5, 12);
    expect([together.test, together.n, together.difference.n]).toEqual(['sign-flip', 40, 40]);
    const width = ({ difference: { low, high } }: typeof together): number => high - low;
    expect(width(together)).toBeGreaterThan(1.7 * width(apart));
    // Of 2^8 ways to flip eight equal clusters, 74 are as uneven as 6 to 2.
    expect(together.p).toBeCloseTo(74 / 256, 1);
    expect(apart.p).toBeLessThan(0.01);
  });

  it('clusters count by the groups that they are in', () => {
    const made = (scores: number[]): EvalItem[] =>
      scores.map((score, i) => item(String(i), score, { group: i < 4 ? 'large' : 'small', cluster: `c${i >> 1}` }));
    const result = compareItems('B', {
      before: made([0, 0, 0, 0, 0, 0]),
      after: made([1, 1, 1, 1, 0, 0]),
      average: 'macro',
    });
    expect(result).toMatchObject({ before: 0, after: 0.5, difference: { n: 6 } });
    expect(result.difference.value).toBeCloseTo(0.5, 12);
    expect(result.difference.low).toBeLessThanOrEqual(0); // three clusters cannot tell
  });

  it('other questions are refused', () => {
    const before = [item('1', 1)];
    expect(() => compareItems('B', { before, after: [item('1', 1, { gold: 'C' })], average: 'micro' })).toThrow(
      /B: item 1 has the answer A in one result and C in another/,
    );
    expect(() => compareItems('B', { before, after: [item('2', 1)], average: 'micro' })).toThrow(/no items in common/);
  });
});

describe('two results of lethe eval', () => {
  const task = (name: string, scores: number[], more: Partial<Answered> = {}): Answered => ({
    name,
    average: 'micro',
    measures: [],
    items: scores.map((score, i) => ({ id: String(i), prediction: null, score })),
    ...more,
  });
  const evaluation = (model: string, ...tasks: Answered[]): Evaluation => ({ model, tasks }) as unknown as Evaluation;
  const zeros = Array.from({ length: 20 }, () => 0);
  const ones = zeros.map(() => 1);

  it('are compared where both have the benchmark and something is scored', () => {
    const before = evaluation('a', task('B', zeros), task('only a', ones), task('nothing', []));
    const after = evaluation('b', task('B', ones), task('nothing', []));
    const [{ benchmarks }] = compareEvaluations([before, after]);
    expect(benchmarks.map(({ name }) => name)).toEqual(['B']);
    expect(benchmarks[0].recovered[0]).toEqual({ id: '0', before: null, after: null });
    const [row] = comparisonRows({ before: 'a', after: 'b', benchmarks });
    expect(row.slice(0, 4)).toEqual(['B', '20', '0.0', '100.0']);
    expect(row.slice(-2)).toEqual(['<0.001', '<0.001']);
  });

  it('keep the right answer, the place and whether training data hold it', () => {
    const items = zeros.map((score, i) => ({
      id: String(i),
      prediction: 'A',
      gold: 'B',
      score,
      place: { file: 'f', line: i },
    }));
    const overlaps = { statusOf: ({ line }: { line: number }) => (line === 1 ? 'overlapping' : undefined) };
    const better = items.map((item) => ({ ...item, prediction: 'B', score: 1 }));
    const pair = [evaluation('a', task('B', [], { items })), evaluation('b', task('B', [], { items: better }))];
    const [{ benchmarks }] = compareEvaluations(pair, overlaps as unknown as Overlaps);
    expect(benchmarks[0].recovered.slice(0, 2)).toEqual([
      { id: '0', gold: 'B', before: 'A', after: 'B', place: { file: 'f', line: 0 } },
      { id: '1', gold: 'B', before: 'A', after: 'B', place: { file: 'f', line: 1 }, overlap: 'overlapping' },
    ]);
  });

  it('are refused where they share no benchmark, or two judges rated them', () => {
    expect(() => compareEvaluations([evaluation('a', task('B', ones)), evaluation('b', task('C', ones))])).toThrow(
      'a and b were not scored on the same benchmark, by name and protocol',
    );
    const judge = (model: string) => ({ judge: { model } }) as Partial<Answered>;
    const [one, other] = [task('B', ones, judge('x')), task('B', ones, judge('y'))];
    expect(() => compareEvaluations([evaluation('a', one), evaluation('b', other)])).toThrow(
      'B: judged by x in one result and by y in another; judge both alike',
    );
  });

  it('macro averages of items without a group are of one group', () => {
    const of = (scores: number[]) => task('B', scores, { average: 'macro' });
    const [{ benchmarks }] = compareEvaluations([evaluation('a', of(zeros)), evaluation('b', of(ones))]);
    expect(benchmarks[0]).toMatchObject({ before: 0, after: 1, difference: { value: 1, n: 20 } });
  });
});
