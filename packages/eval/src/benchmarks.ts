import { z } from 'zod';
import { code } from './code/benchmark.js';
import type { Evaluated } from './benchmark/evaluated.js';
import { followBench } from './followbench/benchmark.js';
import { gsm8k } from './gsm8k/benchmark.js';
import { ifeval } from './ifeval/benchmark.js';
import { instructions } from './instructions/benchmark.js';
import { mtBench } from './mt-bench/benchmark.js';
import { multipleChoice } from './multiple-choice/benchmark.js';
import { perplexity } from './perplexity/benchmark.js';

/** Every benchmark. What recipes may name and what is run both come from this list. */
export const BENCHMARKS = [
  multipleChoice,
  gsm8k,
  code,
  ifeval,
  instructions,
  followBench,
  mtBench,
  perplexity,
] as const;

type Benchmarks = typeof BENCHMARKS;
type SchemasOf<B> = { -readonly [I in keyof B]: B[I] extends { schema: infer S } ? S : never };

/** One benchmark of a recipe. */
export type EvalTask = z.output<Benchmarks[number]['schema']>;

/** What one benchmark gives. */
export type TaskResult = Awaited<ReturnType<Benchmarks[number]['run']>>[number];

/** The tasks of `lethe eval`, by kind. */
export const evalTaskSchema = z.discriminatedUnion(
  'kind',
  BENCHMARKS.map(({ schema }) => schema) as SchemasOf<Benchmarks>,
);

/**
 * Scores a model on one task; a result for each protocol.
 * @throws UserError naming a file of the task that cannot be used.
 */
export function runTask(task: EvalTask, evaluated: Evaluated): Promise<TaskResult[]> {
  const benchmark = BENCHMARKS.find(({ kind }) => kind === task.kind)!;
  // The schema of its kind has read the task; types do not follow the find.
  const run = benchmark.run as (task: EvalTask, evaluated: Evaluated) => Promise<TaskResult[]>;
  return run(task, evaluated);
}
