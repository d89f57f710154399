import type { Score } from '../interval.js';
import type { OverlapSplit } from '../overlap/split-by-overlap.js';
import type { TaskResult } from '../benchmarks.js';
import type { Measure } from '../benchmark/answered.js';
import type { Evaluation } from './evaluation.js';

/** A score in percent with its interval. */
const percent = ({ value, low, high }: Score): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

/** A score as it is, such as a rating, with its interval. */
const plain = ({ value, low, high }: Score): string => `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

/** A score as its unit asks for. */
export const shown = ({ score, unit }: Pick<Measure, 'score' | 'unit'>): string =>
  unit === 'plain' ? plain(score) : percent(score);

/** A standard deviation: points of percent, or of a rating. */
const deviation = (score: string, sd: number): string => (score === 'rating' ? sd : 100 * sd).toFixed(2);

const PARTS = {
  clean: 'not in the training data',
  overlapping: 'in the training data',
  tooShort: 'too short to look for',
} as const;

/** Names of rates by overlap as tables show them. */
const TITLES: Record<string, string> = { accuracy: 'accuracy % (micro)', hsr: 'HSR %', ssr: 'SSR %' };

/** Rows of the scores by overlap: those of clean items first. */
function overlapRows(name: string, split: OverlapSplit<Record<string, Score>> | undefined): string[][] {
  return Object.entries(PARTS).flatMap(([part, words]) =>
    Object.entries(split?.[part as keyof typeof PARTS] ?? {}).map(([measure, score]) => {
      const unit = measure === 'rating' ? 'plain' : undefined;
      const title = unit ? measure : (TITLES[measure] ?? `${measure} %`);
      return [name, `${title}, items ${words}`, shown({ score, unit }), String(score.n)];
    }),
  );
}

function taskRows(task: TaskResult): string[][] {
  const { kind, name } = task;
  if (kind === 'perplexity') return [[name, 'perplexity', task.perplexity.toFixed(2), `${task.numTokens} tokens`]];
  const counts = Object.entries(task.counts ?? {}).filter(([, count]) => count > 0);
  const noise = task.judge?.noise?.scores ?? [];
  return [
    ...task.measures.map((measure) => [name, measure.name, shown(measure), String(measure.score.n)]),
    ...noise.map(({ name: score, sd, values }) => [
      name,
      `${score}, sd of the judge`,
      deviation(score, sd),
      `${values.length} times`,
    ]),
    ...counts.map(([what, count]) => [name, what, String(count), '']),
    ...overlapRows(name, task.overlap),
  ];
}

/** Titles of the columns of {@link evaluationRows}. */
export const EVALUATION_HEADER = ['task', 'measure', 'score [95% interval]', 'n'];

/** One row a measure: task, measure, score with its interval, number of items. */
export const evaluationRows = ({ tasks }: Pick<Evaluation, 'tasks'>): string[][] => tasks.flatMap(taskRows);
