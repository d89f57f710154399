import type { Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { meanInterval, type Score } from '../interval.js';
import type { Answering } from '../items/answer-items.js';
import { answerTexts } from '../engine/answer-texts.js';
import type { EvalItem } from '../items/eval-item.js';
import type { Isolation } from '../sandbox/isolation.js';
import { type Verdict, VERDICTS } from '../sandbox/report.js';
import { runProgram } from '../sandbox/run-program.js';
import type { CodeBenchmark } from './code-problem.js';
import { passAtK } from './pass-at-k.js';

/** How programs are sampled and run. */
export interface CodeAsking {
  numShots: number;
  maxNewTokens: number;
  numSamples: number;
  /** 0: greedy, one sample. */
  temperature: number;
  topP: number;
  seed: number;
  isolation: Isolation;
  seconds: number;
}

/** Programs that run at once. */
const PROGRAMS_AT_ONCE = 2;

/** Lets so many calls run at once; the others wait in order. */
function limitedTo(count: number): <T>(call: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (call) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Writes programs and runs them: each item's score is the share of its samples that pass. */
export function answerCode(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  { problems, stopStrings }: CodeBenchmark,
  { isolation, seconds, ...options }: CodeAsking & Answering,
): Promise<EvalItem[]> {
  const inTurn = limitedTo(PROGRAMS_AT_ONCE);
  return answerTexts(evaluated, problems, { ...options, stopStrings }, async ({ program }, texts) => {
    const results = await Promise.all(
      texts.map((text) => inTurn(() => runProgram(program(text), { isolation, seconds }))),
    );
    const verdicts = results.map(({ verdict }) => verdict);
    const passed = verdicts.filter((verdict) => verdict === 'pass').length;
    return { prediction: verdicts[0], gold: 'pass', score: passed / verdicts.length, verdicts };
  });
}

/** pass@k of a benchmark, and how programs ended. */
export interface CodeScores {
  isolation: Isolation;
  passAt: { k: number; score: Score }[];
  verdicts: Record<Verdict, number>;
}

/** pass@k with intervals. */
export function scoreCode(items: readonly EvalItem[], ks: readonly number[], isolation: Isolation): CodeScores {
  const all = items.flatMap(({ verdicts }) => verdicts!);
  const score = (k: number): Score => {
    const values = items.map(({ verdicts }) =>
      passAtK(verdicts!.length, verdicts!.filter((verdict) => verdict === 'pass').length, k),
    );
    return meanInterval(values);
  };
  const counts = VERDICTS.map((verdict) => [verdict, all.filter((one) => one === verdict).length]);
  return {
    isolation,
    passAt: ks.map((k) => ({ k, score: score(k) })),
    verdicts: Object.fromEntries(counts) as CodeScores['verdicts'],
  };
}
