import { z } from 'zod';
import { defineBenchmark, forEachProtocol, maxItems, type TaskOf } from '../benchmark/define-benchmark.js';
import type { Answered } from '../benchmark/answered.js';
import { type Evaluated, overlapOf } from '../benchmark/evaluated.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import { textCounts } from '../items/text-counts.js';
import { answerGsm8k, type MathScore, scoreMath } from './answer-gsm8k.js';
import { readGsm8k } from './gsm8k-files.js';
import { MATH_PROTOCOLS, MATH_STYLES, type MathReading } from './gsm8k-protocol.js';

const settings = {
  data: z.string().describe('folder with test.jsonl and train.jsonl'),
  protocols: z
    .array(z.enum(MATH_PROTOCOLS))
    .min(1)
    .default(['opencompass'])
    .describe('whose prompts and scores (docs/eval.md)'),
  shots: z.int().nonnegative().optional().describe('default: 4 under opencompass, 5 under lm-eval'),
  maxNewTokens: z.int().positive().optional().describe('default: 512 under opencompass, 256 under lm-eval'),
  maxItems,
};
type Task = TaskOf<'gsm8k', typeof settings>;

/** What `lethe eval` writes of it. */
export interface MathResult extends Answered {
  kind: 'gsm8k';
  scores: Record<MathReading, MathScore>;
}

/** Scores GSM8K under each of its protocols. */
async function run(task: Task, evaluated: Evaluated): Promise<MathResult[]> {
  const all = readGsm8k(task.data);
  const problems = { ...all, test: all.test.slice(0, task.maxItems) };
  const { protocols: _, ...asked } = task;
  return forEachProtocol(task, async (protocol, name): Promise<MathResult> => {
    const { numShots, maxNewTokens, usual } = MATH_STYLES[protocol];
    const asking = { protocol, numShots: task.shots ?? numShots, maxNewTokens: task.maxNewTokens ?? maxNewTokens };
    const resolved = { ...asked, ...asking, protocols: [protocol], name };
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
  });
}

/** GSM8K: word problems with a number as the answer. */
export const gsm8k = defineBenchmark('gsm8k', settings, run);
