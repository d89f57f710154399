import { macroInterval, type Score, wilson } from '../interval.js';
import { type EvalItem, isRight } from '../items/eval-item.js';
import type { ChoiceBenchmark } from './choice-benchmark.js';
import type { ChoiceProtocol } from './choice-prompt.js';
import type { ChoiceSubject } from './choice-question.js';

/** Over questions (micro), and the plain mean over subjects (macro). */
export interface Averages {
  micro: Score;
  macro: Score;
}

/** Accuracies of a benchmark of four-choice questions. */
export interface ChoiceScores extends Averages {
  bySubject: { subject: string; accuracy: Score }[];
  byCategory: ({ category: string } & Averages)[];
  /** Questions whose prompt lost shots, or its start, because it exceeded the model's context. */
  numShortened: number;
}

const accuracyOf = (items: readonly EvalItem[]): Score => wilson(items.filter(isRight).length, items.length);

function averages(groups: EvalItem[][]): Averages {
  return {
    micro: accuracyOf(groups.flat()),
    macro: macroInterval(groups.map((items) => items.map(({ score }) => score))),
  };
}

/** Which average the benchmark is known by: lm-eval's micro, OpenCompass's macro, and by its own code MMLU's micro, the others' macro. */
export function usualAverage(benchmark: ChoiceBenchmark, protocol: ChoiceProtocol): keyof Averages {
  if (protocol === 'lm-eval') return 'micro'; // its groups weigh subjects by size
  return benchmark === 'mmlu' && protocol === 'original' ? 'micro' : 'macro';
}

/** Scores answered questions by subject, by category and over all. */
export function scoreChoices(subjects: readonly ChoiceSubject[], items: readonly EvalItem[]): ChoiceScores {
  const groups = new Map(subjects.map(({ name }) => [name, [] as EvalItem[]]));
  for (const item of items) groups.get(item.group!)!.push(item);
  const categories = [...new Set(subjects.flatMap((subject) => subject.categories))];
  return {
    ...averages([...groups.values()]),
    bySubject: subjects.map(({ name }) => ({ subject: name, accuracy: accuracyOf(groups.get(name)!) })),
    byCategory: categories.map((category) => {
      const own = subjects.filter((subject) => subject.categories.includes(category));
      return {
        category,
        ...averages(own.map(({ name }) => groups.get(name)!)),
      };
    }),
    numShortened: items.filter(({ cut }) => cut !== undefined).length,
  };
}
