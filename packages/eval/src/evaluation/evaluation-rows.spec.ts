import type { TaskResult } from '../benchmarks.js';
import { evaluationRows } from './evaluation-rows.js';

const score = { value: 0.5, low: 0.25, high: 0.75, n: 4 };

it('a row has a measure, a count above 0, the judge’s own noise, or a score by overlap, each in its unit', () => {
  const task = {
    kind: 'mt-bench',
    name: 'MT',
    average: 'micro',
    measures: [
      { name: 'rating', score: { ...score, value: 5.5 }, unit: 'plain' },
      { name: 'accuracy %', score },
    ],
    counts: { cut: 3, 'nothing of it': 0 },
    judge: {
      noise: {
        scores: [
          { name: 'rating', sd: 0.25, values: [1, 2] },
          { name: 'HSR %', sd: 0.25, values: [1, 2] },
        ],
      },
    },
    overlap: { clean: { rating: { ...score, value: 5.5 }, hsr: score }, tooShort: { 'own score': score } },
    items: [],
  } as unknown as TaskResult;
  expect(evaluationRows({ tasks: [task] })).toEqual([
    ['MT', 'rating', '5.50 [0.25, 0.75]', '4'],
    ['MT', 'accuracy %', '50.0 [25.0, 75.0]', '4'],
    ['MT', 'rating, sd of the judge', '0.25', '2 times'],
    ['MT', 'HSR %, sd of the judge', '25.00', '2 times'],
    ['MT', 'cut', '3', ''],
    ['MT', 'rating, items not in the training data', '5.50 [0.25, 0.75]', '4'],
    ['MT', 'HSR %, items not in the training data', '50.0 [25.0, 75.0]', '4'],
    ['MT', 'own score %, items too short to look for', '50.0 [25.0, 75.0]', '4'],
  ]);
});
