import { z } from 'zod';
import { defineBenchmark, forEachProtocol, type TaskOf } from '../benchmark/define-benchmark.js';
import type { Answered } from '../benchmark/answered.js';
import { type Evaluated, overlapOf } from '../benchmark/evaluated.js';
import { type Score, wilson } from '../interval.js';
import { type EvalItem, isRight } from '../items/eval-item.js';
import { answerChoices } from './answer-choices.js';
import { CHOICE_BENCHMARKS, readChoiceFolder } from './choice-benchmark.js';
import { CHOICE_PROTOCOLS, defaultShots } from './choice-prompt.js';
import { type ChoiceScores, scoreChoices, usualAverage } from './score-choices.js';

const settings = {
  benchmark: z.enum(CHOICE_BENCHMARKS).default('mmlu').describe('whose files, prompts and averages'),
  data: z.string().describe('folder as distributed: dev/, test/ or val/ with a CSV per subject'),
  split: z.enum(['test', 'val']).optional().describe('default: test, and val for ceval'),
  protocols: z
    .array(z.enum(CHOICE_PROTOCOLS))
    .min(1)
    .default(['original'])
    .describe('whose prompts and scores (docs/eval.md)'),
  shots: z.int().nonnegative().optional().describe('default: 5, and 0 under lm-eval'),
};
type Task = TaskOf<'multiple-choice', typeof settings>;

/** What `lethe eval` writes of it. */
export interface ChoiceResult extends Answered {
  kind: 'multiple-choice';
  scores: ChoiceScores;
}

/** Scores a benchmark of four-choice questions under each of its protocols. */
async function run(task: Task, evaluated: Evaluated): Promise<ChoiceResult[]> {
  const subjects = readChoiceFolder(task.data, task.benchmark, task.split);
  const { protocols: _, ...asked } = task;
  return forEachProtocol(task, async (protocol, name): Promise<ChoiceResult> => {
    const numShots = task.shots ?? defaultShots(protocol);
    const resolved = { ...asked, protocols: [protocol], protocol, name, shots: numShots };
    const { known } = evaluated;
    const options = { benchmark: task.benchmark, protocol, numShots, known };
    const answering = evaluated.answering(resolved, subjects);
    const items = await answerChoices(evaluated, subjects, { ...options, ...answering });
    const scores = scoreChoices(subjects, items);
    const categories = scores.byCategory.map(({ category, micro, macro }) => ({
      name: `accuracy %, ${category}`,
      score: task.benchmark === 'mmlu' || protocol === 'lm-eval' ? micro : macro,
    }));
    const accuracy = (some: EvalItem[]): Record<string, Score> => ({
      accuracy: wilson(some.filter(isRight).length, some.length),
    });
    return {
      kind: 'multiple-choice',
      name,
      protocol,
      average: usualAverage(task.benchmark, protocol),
      measures: [
        { name: 'accuracy % (micro)', score: scores.micro },
        { name: 'accuracy % (macro)', score: scores.macro },
        ...categories,
      ],
      counts: { 'prompts cut to the context': scores.numShortened },
      ...overlapOf(items, evaluated, accuracy),
      scores,
      items,
    };
  });
}

/** MMLU, CMMLU and C-Eval: four-choice questions. */
export const multipleChoice = defineBenchmark('multiple-choice', settings, run);
