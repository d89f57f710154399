import { sequences } from '@lethe/data-pipeline';
import { documentPerplexities } from '@lethe/model';
import { runChoiceTask } from './choice-task.js';
import { runCodeTask } from './code-task.js';
import type { EvalTask, EvalTaskOf } from './eval-recipe.js';
import type { Evaluated } from './evaluated.js';
import { runFollowBenchTask } from './followbench-task.js';
import { runGsm8kTask } from './gsm8k-task.js';
import { runIfevalTask } from './ifeval-task.js';
import { runInstructionTask } from './instruction-task.js';
import { runMtBenchTask } from './mt-bench-task.js';
import type { TaskResult } from './task-result.js';

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
