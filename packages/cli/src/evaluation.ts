import { loadTokenizer, readOverlaps } from '@lethe/data-pipeline';
import type { ChoiceScores, InstructionScores, OverlapSplit, Score } from '@lethe/eval';
import { loadLlama } from '@lethe/model';
import type { Logger } from '@lethe/run';
import { z } from 'zod';
import { checkpointFolder } from './checkpoint-location.js';
import { runTask } from './evaluation-task.js';

const taskSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('multiple-choice'),
    name: z.string(),
    data: z.string().describe("folder in MMLU's layout: dev/, test/ with a CSV per subject"),
    split: z.enum(['test', 'val']).default('test'),
    shots: z.int().nonnegative().default(5),
  }),
  z.strictObject({
    kind: z.literal('instructions'),
    name: z.string(),
    data: z.string().describe('JSONL: {"prompt", "constraints"} a line'),
    maxNewTokens: z.int().positive().default(64),
  }),
  z.strictObject({
    kind: z.literal('perplexity'),
    name: z.string(),
    shards: z.string().describe('folder with index.json'),
    maxDocuments: z.int().positive().optional(),
    maxLength: z.int().min(2).default(1024),
  }),
]);

/** One benchmark of a recipe. */
export type EvalTask = z.output<typeof taskSchema>;

/** The recipe of `lethe eval`. */
export const evalRecipeSchema = z.strictObject({
  model: z.string().optional().describe('checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME'),
  out: z.string().default('runs/eval/results.json'),
  overlap: z
    .array(z.string())
    .default([])
    .describe('overlap.jsonl of prepared training data, or its folder: scores by whether items are in that data'),
  tasks: z.array(taskSchema).min(1),
});

/** One task's result. */
export type TaskResult =
  | { kind: 'multiple-choice'; name: string; scores: ChoiceScores; overlap?: OverlapSplit<{ accuracy: Score }> }
  | {
      kind: 'instructions';
      name: string;
      scores: InstructionScores;
      overlap?: OverlapSplit<{ hsr: Score; ssr: Score }>;
    }
  | { kind: 'perplexity'; name: string; perplexity: number; numTokens: number; logPerplexities: number[] };

/** The results of one model. */
export interface Evaluation {
  model: string;
  tasks: TaskResult[];
}

/** What is evaluated. */
export interface EvaluationPlan {
  model: string;
  tasks: EvalTask[];
  /** overlap.jsonl files or their folders. */
  overlap?: string[];
}

/** Scores one model on every task of a recipe, on the current device. */
export async function runEvaluation(recipe: EvaluationPlan, logger: Logger): Promise<Evaluation> {
  const { overlap = [] } = recipe;
  const overlaps = overlap.length > 0 ? await readOverlaps(overlap) : undefined;
  const folder = await checkpointFolder(recipe.model, logger);
  const tokenizer = await loadTokenizer(folder);
  const { model } = loadLlama(folder, { trainable: false });
  const tasks: TaskResult[] = [];
  for (const task of recipe.tasks) {
    logger.progress(`${recipe.model}: ${task.name}`);
    const result = await runTask(task, { model, tokenizer, overlaps });
    if (overlaps && task.kind !== 'perplexity' && !('overlap' in result)) {
      logger.warn(
        `${task.name}: ${overlap.join(', ')} did not look for ${task.data}; prepare with its files in filters.overlap.sets`,
      );
    }
    tasks.push(result);
  }
  logger.endProgress();
  model.dispose();
  return { model: recipe.model, tasks };
}
