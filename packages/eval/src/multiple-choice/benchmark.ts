import { type Score, wilson } from '../interval.js';
import { type EvalItem, isRight } from '../items/eval-item.js';
import { answerChoices } from './answer-choices.js';
import { readChoiceFolder } from './choice-benchmark.js';
import { type ChoiceProtocol, defaultShots } from './choice-prompt.js';
import { scoreChoices, usualAverage } from './score-choices.js';
import type { EvalTaskOf } from '../evaluation/eval-recipe.js';
import { type Evaluated, overlapOf } from '../evaluation/evaluated.js';
import type { TaskResult } from '../evaluation/task-result.js';

/** Scores a benchmark of four-choice questions under each of its protocols. */
export async function runChoiceTask(task: EvalTaskOf<'multiple-choice'>, evaluated: Evaluated): Promise<TaskResult[]> {
  const subjects = readChoiceFolder(task.data, task.benchmark, task.split);
  const { protocols, ...settings } = task;
  const run = async (protocol: ChoiceProtocol): Promise<TaskResult> => {
    const name = protocols.length > 1 ? `${task.name} (${protocol})` : task.name;
    const numShots = task.shots ?? defaultShots(protocol);
    const resolved = { ...settings, protocols: [protocol], protocol, name, shots: numShots };
    const { known } = evaluated;
    const options = { benchmark: task.benchmark, protocol, numShots, known };
    const answering = evaluated.answering(resolved, subjects);
    const items = await answerChoices(evaluated, subjects, { ...options, ...answering });
    const scores = scoreChoices(subjects, items);
    const categories = scores.byCategory.map(({ category, micro, macro }) => ({
      name: `accuracy %, ${category}`,
      score: task.benchmark === 'mmlu' ? micro : macro,
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
  };
  const results: TaskResult[] = [];
  for (const protocol of protocols) results.push(await run(protocol));
  return results;
}
