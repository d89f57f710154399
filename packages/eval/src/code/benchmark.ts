import { UserError } from '@lethe/run';
import { z } from 'zod';
import { defineBenchmark, maxItems, type TaskOf } from '../benchmark/define-benchmark.js';
import type { Answered } from '../benchmark/answered.js';
import { type Evaluated, overlapOf } from '../benchmark/evaluated.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import { textCounts } from '../items/text-counts.js';
import { chooseIsolation } from '../sandbox/choose-isolation.js';
import { answerCode, type CodeScores, scoreCode } from './answer-code.js';
import type { CodeBenchmark } from './code-problem.js';
import { readHumanEval } from './humaneval.js';
import { readMbpp } from './mbpp.js';

const settings = {
  benchmark: z.enum(['humaneval', 'mbpp', 'mbpp-sanitized']).describe('whose files and prompts'),
  data: z.string().describe('HumanEval.jsonl[.gz], mbpp.jsonl or sanitized-mbpp.json'),
  shots: z.int().nonnegative().optional().describe('default: 0 for humaneval, 3 for mbpp'),
  maxNewTokens: z.int().positive().optional().describe('default: 512'),
  seconds: z.number().positive().optional().describe('wall time of a program; default: 3 for humaneval, 10 for mbpp'),
  samples: z.int().positive().default(1).describe('programs for each problem'),
  temperature: z.number().nonnegative().default(0).describe('of the sampling; 0 = greedy'),
  topP: z.number().positive().max(1).default(1).describe('smallest set of tokens with this probability'),
  seed: z.int().nonnegative().default(0).describe('of the sampling'),
  k: z.array(z.int().positive()).min(1).default([1]).describe('of pass@k'),
  maxItems,
};
type Task = TaskOf<'code', typeof settings>;

/** What `lethe eval` writes of it. */
export interface CodeResult extends Answered {
  kind: 'code';
  scores: CodeScores;
}

function readBenchmark({ benchmark, data }: Task): CodeBenchmark {
  if (benchmark === 'humaneval') return readHumanEval(data);
  return readMbpp(data, benchmark === 'mbpp' ? 'full' : 'sanitized');
}

/** Has the model write programs, runs them in the sandbox, and scores pass@k. */
async function run(task: Task, evaluated: Evaluated): Promise<CodeResult[]> {
  const { name, samples, temperature, topP, seed, k } = task;
  if (k.some((one) => one > samples))
    throw new UserError(`${name}: k: expected at most samples (${samples}), got ${k}`);
  if (samples > 1 && temperature === 0)
    throw new UserError(`${name}: samples: ${samples} greedy samples are all the same; set a temperature, such as 0.8`);
  const isolation = await chooseIsolation({ allowsNone: evaluated.allowsUnsandboxed });
  const read = readBenchmark(task);
  const benchmark = { ...read, problems: read.problems.slice(0, task.maxItems) };
  const asking = {
    numShots: task.shots ?? read.numShots,
    maxNewTokens: task.maxNewTokens ?? read.maxNewTokens,
    seconds: task.seconds ?? read.seconds,
    numSamples: samples,
    temperature,
    topP,
    seed,
    isolation,
  };
  const questions = benchmark.problems.map((one) => [one.id, one.prompt(asking.numShots), one.program('')]);
  const answering = evaluated.answering({ ...task, ...asking }, questions);
  const items = await answerCode(evaluated, benchmark, { ...asking, ...answering });
  const scores = scoreCode(items, k, isolation);
  const rates = (some: EvalItem[]): Record<string, Score> => {
    const [{ k: first, score }] = scoreCode(some, k, isolation).passAt;
    return { [`pass@${first}`]: score };
  };
  const { pass: _, ...verdicts } = scores.verdicts;
  return [
    {
      kind: 'code',
      name,
      average: 'micro',
      measures: scores.passAt.map(({ k: one, score }) => ({ name: `pass@${one} %`, score })),
      counts: {
        ...Object.fromEntries(Object.entries(verdicts).map(([verdict, count]) => [`programs: ${verdict}`, count])),
        ...(isolation === 'none' && { 'programs run without a sandbox': items.length * samples }),
        ...textCounts(items),
      },
      ...overlapOf(items, evaluated, rates),
      scores,
      items,
    },
  ];
}

/** HumanEval and MBPP: programs that are run. */
export const code = defineBenchmark('code', settings, run);
