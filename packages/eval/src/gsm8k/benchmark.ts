import { answerGsm8k, scoreMath } from './answer-gsm8k.js';
import { readGsm8k } from './gsm8k-files.js';
import { MATH_STYLES, type MathProtocol } from './gsm8k-protocol.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { EvalTaskOf } from '../evaluation/eval-recipe.js';
import { type Evaluated, overlapOf } from '../evaluation/evaluated.js';
import type { TaskResult } from '../evaluation/task-result.js';

/** Scores GSM8K under each of its protocols. */
export async function runGsm8kTask(task: EvalTaskOf<'gsm8k'>, evaluated: Evaluated): Promise<TaskResult[]> {
  const all = readGsm8k(task.data);
  const problems = { ...all, test: all.test.slice(0, task.maxItems) };
  const { protocols, ...settings } = task;
  const run = async (protocol: MathProtocol): Promise<TaskResult> => {
    const name = protocols.length > 1 ? `${task.name} (${protocol})` : task.name;
    const { numShots, maxNewTokens, usual } = MATH_STYLES[protocol];
    const asking = { protocol, numShots: task.shots ?? numShots, maxNewTokens: task.maxNewTokens ?? maxNewTokens };
    const resolved = { ...settings, ...asking, protocols: [protocol], name };
    const items = await answerGsm8k(evaluated, problems, { ...asking, ...evaluated.answering(resolved, problems) });
    const scores = scoreMath(items);
    const other = usual === 'strict' ? 'flexible' : 'strict';
    const rates = (some: EvalItem[]): Record<string, Score> => ({ accuracy: scoreMath(some)[usual].accuracy });
    return {
      kind: 'gsm8k',
      name,
      protocol,
      average: 'micro',
      measures: ([usual, other] as const).map((reading) => ({
        name: `accuracy % (${reading})`,
        score: scores[reading].accuracy,
      })),
      counts: {
        'wrong answers (strict)': scores.strict.numWrong,
        'answers that could not be read (strict)': scores.strict.numUnread,
        'wrong answers (flexible)': scores.flexible.numWrong,
        'answers that could not be read (flexible)': scores.flexible.numUnread,
        ...textCounts(items),
      },
      ...overlapOf(items, evaluated, rates),
      scores,
      items,
    };
  };
  const results: TaskResult[] = [];
  for (const protocol of protocols) results.push(await run(protocol));
  return results;
}

/** What went otherwise than it should while texts were generated. */
export function textCounts(items: EvalItem[]): Record<string, number> {
  return {
    'prompts cut to the context': items.filter(({ cut }) => cut !== undefined).length,
    'texts cut at the limit of new tokens': items.reduce((sum, { numUnfinished = 0 }) => sum + numUnfinished, 0),
  };
}
