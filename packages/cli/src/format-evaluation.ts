import type { OverlapSplit, Score } from '@lethe/eval';
import type { Evaluation, TaskResult } from './evaluation.js';
import { formatTable } from './table.js';

const percent = ({ value, low, high }: Score): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

const PARTS = {
  clean: 'not in the training data',
  overlapping: 'in the training data',
  tooShort: 'too short to look for',
} as const;

/** Rows of the scores by overlap: those of clean items first. */
function overlapRows(name: string, split: OverlapSplit<Record<string, Score>> | undefined): string[][] {
  return Object.entries(PARTS).flatMap(([part, words]) =>
    Object.entries(split?.[part as keyof typeof PARTS] ?? {}).map(([measure, score]) => {
      const title = measure === 'accuracy' ? 'accuracy % (micro)' : `${measure.toUpperCase()} %`;
      return [name, `${title}, items ${words}`, percent(score), String(score.n)];
    }),
  );
}

function taskRows(task: TaskResult): string[][] {
  const { kind, name } = task;
  if (kind === 'perplexity') return [[name, 'perplexity', task.perplexity.toFixed(2), `${task.numTokens} tokens`]];
  if (kind === 'instructions') {
    const { hsr, ssr } = task.scores;
    return [
      [name, 'HSR %', percent(hsr), String(hsr.n)],
      [name, 'SSR %', percent(ssr), String(ssr.n)],
      ...overlapRows(name, task.overlap),
    ];
  }
  const { micro, macro, numShortened } = task.scores;
  return [
    [name, 'accuracy % (micro)', percent(micro), String(micro.n)],
    [name, 'accuracy % (macro)', (100 * macro).toFixed(1), ''],
    ...(numShortened > 0 ? [[name, 'prompts cut to the context', String(numShortened), '']] : []),
    ...overlapRows(name, task.overlap),
  ];
}

/** Titles of the columns of {@link evaluationRows}. */
export const EVALUATION_HEADER = ['task', 'measure', 'score [95% interval]', 'n'];

/** One row a measure: task, measure, score with its interval, number of items. */
export const evaluationRows = ({ tasks }: Pick<Evaluation, 'tasks'>): string[][] => tasks.flatMap(taskRows);

/** A table for people. */
export function formatEvaluation(evaluation: Evaluation): string {
  return `${evaluation.model}\n${formatTable(EVALUATION_HEADER, evaluationRows(evaluation))}`;
}
