import { documentPerplexities } from '@lethe/analysis';
import { ChatRenderer, loadTokenizer, sequences, type Tokenizer } from '@lethe/data-pipeline';
import {
  type ChoiceScores,
  constraintSchema,
  type InstructionScores,
  readMmluFolder,
  type RuleInstruction,
  type Score,
  scoreChoices,
  scoreInstructions,
} from '@lethe/eval';
import { generate, type Llama, loadLlama } from '@lethe/model';
import { type Logger, UserError } from '@lethe/run';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { formatTable } from './table.js';

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
  model: z.string().optional().describe('checkpoint folder in the Hugging Face layout'),
  out: z.string().default('runs/eval/results.json'),
  tasks: z.array(taskSchema).min(1),
});

/** One task's result. */
export type TaskResult =
  | { kind: 'multiple-choice'; name: string; scores: ChoiceScores }
  | { kind: 'instructions'; name: string; scores: InstructionScores }
  | { kind: 'perplexity'; name: string; perplexity: number; numTokens: number; logPerplexities: number[] };

/** The results of one model. */
export interface Evaluation {
  model: string;
  tasks: TaskResult[];
}

/** Reads instructions with their constraints. @throws UserError with file and line. */
export function readInstructions(file: string): RuleInstruction[] {
  const row = z.object({ prompt: z.string(), constraints: z.array(constraintSchema).min(1) });
  const lines = readFileSync(file, 'utf8').split('\n');
  const instructions = lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [row.parse(JSON.parse(line))];
    } catch (cause) {
      throw new UserError(`${file}:${i + 1}: expected {"prompt", "constraints"}: ${(cause as Error).message}`, {
        cause,
      });
    }
  });
  if (instructions.length === 0) throw new UserError(`${file}: no instructions`);
  return instructions;
}

/** Greedy responses of a chat model, `batchRows` at a time. */
async function respond(model: Llama, tokenizer: Tokenizer, prompts: string[], maxNewTokens: number): Promise<string[]> {
  const renderer = new ChatRenderer(tokenizer);
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
  const responses: string[] = [];
  const batchRows = 32;
  for (let from = 0; from < prompts.length; from += batchRows) {
    const part = prompts.slice(from, from + batchRows);
    const ids = await Promise.all(part.map((content) => renderer.prompt([{ role: 'user', content }])));
    const made = generate(model, ids, { maxNewTokens, stopIds });
    responses.push(...(await Promise.all(made.map((list) => tokenizer.decode(list, { skipSpecialTokens: true })))));
  }
  return responses;
}

async function runTask(task: EvalTask, model: Llama, tokenizer: Tokenizer): Promise<TaskResult> {
  const { name } = task;
  if (task.kind === 'multiple-choice') {
    const subjects = readMmluFolder(task.data, task.split);
    return { kind: task.kind, name, scores: await scoreChoices(model, tokenizer, subjects, { numShots: task.shots }) };
  }
  if (task.kind === 'instructions') {
    const instructions = readInstructions(task.data);
    const responses = await respond(
      model,
      tokenizer,
      instructions.map(({ prompt }) => prompt),
      task.maxNewTokens,
    );
    return { kind: task.kind, name, scores: scoreInstructions(instructions, responses) };
  }
  const { shards, maxLength, maxDocuments } = task;
  const documents: Int32Array[] = [];
  for await (const { ids } of sequences({ shards, maxLength, maxDocuments, tokenizerHash: tokenizer.hash })) {
    if (ids.length > 1) documents.push(ids);
  }
  return { kind: task.kind, name, ...documentPerplexities(model, documents) };
}

/** Scores one model on every task of a recipe, on the current device. */
export async function runEvaluation(recipe: { model: string; tasks: EvalTask[] }, logger: Logger): Promise<Evaluation> {
  const tokenizer = await loadTokenizer(recipe.model);
  const { model } = loadLlama(recipe.model, { trainable: false });
  const tasks: TaskResult[] = [];
  for (const task of recipe.tasks) {
    logger.progress(`${recipe.model}: ${task.name}`);
    tasks.push(await runTask(task, model, tokenizer));
  }
  logger.endProgress();
  model.dispose();
  return { model: recipe.model, tasks };
}

const percent = ({ value, low, high }: Score): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

/** A table for people. */
export function formatEvaluation({ model, tasks }: Evaluation): string {
  const rows = tasks.flatMap((task) => {
    if (task.kind === 'multiple-choice') {
      const { micro, macro, numShortened } = task.scores;
      const shortened = [[task.name, 'prompts cut to the context', String(numShortened), '']];
      return [
        [task.name, 'accuracy % (micro)', percent(micro), String(micro.n)],
        [task.name, 'accuracy % (macro)', (100 * macro).toFixed(1), ''],
        ...(numShortened > 0 ? shortened : []),
      ];
    }
    if (task.kind === 'instructions') {
      const { hsr, ssr } = task.scores;
      return [
        [task.name, 'HSR %', percent(hsr), String(hsr.n)],
        [task.name, 'SSR %', percent(ssr), String(ssr.n)],
      ];
    }
    return [[task.name, 'perplexity', task.perplexity.toFixed(2), `${task.numTokens} tokens`]];
  });
  return `${model}\n${formatTable(['task', 'measure', 'score [95% interval]', 'n'], rows)}`;
}
