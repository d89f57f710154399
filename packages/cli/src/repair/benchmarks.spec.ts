import type { Evaluation } from '@lethe/eval';
import { benchmarkEvidence, compareScored, type Scored } from './benchmarks.js';

/** A model that meets an instruction of 100 where the share says so, and the same of questions. */
function evaluation(followed: number, known = 0.5): Evaluation {
  const items = (share: number) =>
    Array.from({ length: 100 }, (_, i) => ({ id: String(i), prediction: '', score: i < 100 * share ? 1 : 0 }));
  const task = (kind: string, name: string, share: number) => ({
    kind,
    name,
    average: 'micro',
    measures: [],
    items: items(share),
  });
  const tasks = [task('instructions', 'rules', followed), task('multiple-choice', 'facts', known)];
  return { model: 'm', tasks: tasks as unknown as Evaluation['tasks'] };
}
const copies = (...shares: number[]): Evaluation[] => shares.map((share) => evaluation(share));

const scored: Scored = {
  before: copies(0.1, 0.2, 0.3),
  repaired: copies(0.5, 0.6, 0.4),
  control: copies(0.2, 0.3, 0.1),
};

it('copies of a model are compared together, the runs of an item drawn as one', () => {
  const { againstStart, againstControl, scores, following } = compareScored(scored);
  const [rules, facts] = againstStart.benchmarks;
  expect(rules).toMatchObject({ name: 'rules', n: 300, test: 'sign-flip', numUnpaired: 0 });
  expect(rules.before).toBeCloseTo(0.2, 9);
  expect(rules.difference.value).toBeCloseTo(0.3, 9);
  expect(rules.difference.low).toBeGreaterThan(0.2);
  expect(facts.difference.value).toBe(0);
  expect(againstControl.benchmarks[0].difference.value).toBeCloseTo(0.3, 9);
  expect(scores['rules']).toEqual({ start: [0.1, 0.2, 0.3], end: [0.5, 0.6, 0.4], control: [0.2, 0.3, 0.1] });
  expect(following).toEqual(['rules']);
});

it('the base tells what the synthetic text cost', () => {
  const withBase = compareScored({ ...scored, base: copies(0.8, 0.7, 0.9) });
  const [{ lost }] = benchmarkEvidence(withBase).followed;
  expect(lost!.value).toBeCloseTo(0.6, 9);
  expect(lost!.low).toBeLessThan(0.6);
  expect(lost!.low).toBeGreaterThan(0.4);
  expect(withBase.scores['rules'].base).toEqual([0.8, 0.7, 0.9]);
  expect(benchmarkEvidence(compareScored(scored)).followed[0].lost).toBeNull();
});

it('one copy is compared as it is', () => {
  const one = { before: copies(0.1), repaired: copies(0.5), control: copies(0.2) };
  expect(compareScored(one).againstStart.benchmarks[0]).toMatchObject({ n: 100, test: 'mcnemar' });
});

it('instructions are to be followed better, questions to be kept', () => {
  const { kept, followed, unanswered } = benchmarkEvidence(compareScored(scored));
  expect(kept.map(({ name, says }) => [name, says])).toEqual([
    ['rules', 'yes'],
    ['facts', 'yes'],
  ]);
  expect(followed.map(({ gained, besideControl }) => [gained.says, besideControl.says])).toEqual([['yes', 'yes']]);
  expect(unanswered).toEqual([]);
  const less = benchmarkEvidence(compareScored({ ...scored, before: copies(0.9, 0.9, 0.9) }));
  expect([less.followed[0].gained.says, less.kept[0].says]).toEqual(['no', 'no']);
});

it('instructions that no model follows say nothing', () => {
  const none = { before: copies(0), repaired: copies(0), control: copies(0) };
  expect(benchmarkEvidence(compareScored(none))).toMatchObject({ followed: [], unanswered: ['rules'] });
});
