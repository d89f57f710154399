import { sequences } from '@lethe/data-pipeline';
import { documentPerplexities } from '@lethe/model';
import { runChoiceTask } from '../multiple-choice/benchmark.js';
import { runCodeTask } from '../code/benchmark.js';
import type { EvalTask, EvalTaskOf } from '../evaluation/eval-recipe.js';
import type { Evaluated } from '../evaluation/evaluated.js';
import { runFollowBenchTask } from '../followbench/benchmark.js';
import { runGsm8kTask } from '../gsm8k/benchmark.js';
import { runIfevalTask } from '../ifeval/benchmark.js';
import { runInstructionTask } from '../instructions/benchmark.js';
import { runMtBenchTask } from '../mt-bench/benchmark.js';
import type { TaskResult } from '../evaluation/task-result.js';

async function runPerplexityTask(task: EvalTaskOf<'perplexity'>, { model, tokenizer }: Evaluated): Promise<TaskResult> {
  const { name, shards, maxLength, maxDocuments } = task;
  const documents: Int32Array[] = [];
  for await (const { ids } of sequences({ shards, maxLength, maxDocuments, tokenizerHash: tokenizer.hash })) {
    if (ids.length > 1) documents.push(ids);
  }
  return { kind: task.kind, name, ...documentPerplexities(model, documents) };
}

/**
 * Scores a model on one task; a result for each protocol.
 * @throws UserError naming a file of the task that cannot be used.
 */
export async function runTask(task: EvalTask, evaluated: Evaluated): Promise<TaskResult[]> {
  switch (task.kind) {
    case 'multiple-choice':
      return runChoiceTask(task, evaluated);
    case 'gsm8k':
      return runGsm8kTask(task, evaluated);
    case 'code':
      return [await runCodeTask(task, evaluated)];
    case 'ifeval':
      return [await runIfevalTask(task, evaluated)];
    case 'instructions':
      return [await runInstructionTask(task, evaluated)];
    case 'followbench':
      return [await runFollowBenchTask(task, evaluated)];
    case 'mt-bench':
      return [await runMtBenchTask(task, evaluated)];
    case 'perplexity':
      return [await runPerplexityTask(task, evaluated)];
  }
}
