import { UserError } from '@lethe/run';
import { answerCode, scoreCode } from './answer-code.js';
import type { CodeBenchmark } from './code-problem.js';
import { readHumanEval } from './humaneval.js';
import { readMbpp } from './mbpp.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import { chooseIsolation } from '../sandbox/choose-isolation.js';
import type { EvalTaskOf } from '../evaluation/eval-recipe.js';
import { type Evaluated, overlapOf } from '../evaluation/evaluated.js';
import { textCounts } from '../gsm8k/benchmark.js';
import type { TaskResult } from '../evaluation/task-result.js';

function readBenchmark({ benchmark, data }: EvalTaskOf<'code'>): CodeBenchmark {
  if (benchmark === 'humaneval') return readHumanEval(data);
  return readMbpp(data, benchmark === 'mbpp' ? 'full' : 'sanitized');
}

/** Has the model write programs, runs them in the sandbox, and scores pass@k. */
export async function runCodeTask(task: EvalTaskOf<'code'>, evaluated: Evaluated): Promise<TaskResult> {
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
  return {
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
  };
}
