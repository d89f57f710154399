import type { EvalItem } from '../items/eval-item.js';
import type { ChoiceSubject } from './choice-question.js';
import { scoreChoices, usualAverage } from './score-choices.js';

const subjectOf = (name: string, ...categories: string[]): ChoiceSubject => ({
  name,
  title: name,
  categories,
  shots: [],
  questions: [],
});
const subjects = [subjectOf('a', 'STEM'), subjectOf('b', 'STEM', 'Hard'), subjectOf('c', 'Other')];
const items = 'a1 a1 a1 a0 b0 b0 c1'.split(' ').map((text, i): EvalItem => ({
  id: `${text[0]}/${i}`,
  group: text[0],
  gold: 'A',
  prediction: 'A',
  score: Number(text[1]),
  ...(i === 3 && { cut: 'shots' as const }),
}));

it('micro counts questions, macro averages subjects, categories have both', () => {
  const { micro, macro, bySubject, byCategory, numShortened } = scoreChoices(subjects, items);
  expect(micro).toMatchObject({ value: 4 / 7, n: 7 });
  expect(macro).toMatchObject({ value: (0.75 + 0 + 1) / 3, n: 7 });
  // Subjects of 4, 2 and 1 questions weigh as much as 9 / (1/4 + 1/2 + 1/1) = 5.14 questions that count alike.
  expect(macro.low).toBeCloseTo(0.223, 2);
  expect(macro.high).toBeCloseTo(0.882, 1);
  expect(bySubject.map(({ subject, accuracy }) => [subject, accuracy.value, accuracy.n])).toEqual([
    ['a', 0.75, 4],
    ['b', 0, 2],
    ['c', 1, 1],
  ]);
  expect(byCategory.map((one) => [one.category, one.micro.value, one.macro.value])).toEqual([
    ['STEM', 0.5, 0.375],
    ['Hard', 0, 0],
    ['Other', 1, 1],
  ]);
  expect(numShortened).toBe(1);
});

it('each benchmark is known by its own average', () => {
  expect(usualAverage('mmlu', 'original')).toBe('micro');
  expect(usualAverage('mmlu', 'opencompass')).toBe('macro');
  expect(usualAverage('cmmlu', 'original')).toBe('macro');
  expect(usualAverage('cmmlu', 'lm-eval')).toBe('micro');
  expect(usualAverage('ceval', 'original')).toBe('macro');
  expect(usualAverage('ceval', 'lm-eval')).toBe('micro');
  expect(usualAverage('ceval', 'opencompass')).toBe('macro');
});
