import { z } from 'zod';
import { FOLLOW_LANGUAGES } from '../followbench/follow-item.js';
import { MATH_PROTOCOLS } from '../gsm8k/gsm8k-protocol.js';
import { CHOICE_BENCHMARKS } from '../multiple-choice/choice-benchmark.js';
import { CHOICE_PROTOCOLS } from '../multiple-choice/choice-prompt.js';
import { judgeSchema } from '../judge/judge-recipe.js';

const maxItems = z.int().positive().optional().describe('only the first so many items');

/** The tasks of `lethe eval`, by kind. */
export const evalTaskSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('multiple-choice'),
    name: z.string(),
    benchmark: z.enum(CHOICE_BENCHMARKS).default('mmlu').describe('whose files, prompts and averages'),
    data: z.string().describe('folder as distributed: dev/, test/ or val/ with a CSV per subject'),
    split: z.enum(['test', 'val']).optional().describe('default: test, and val for ceval'),
    protocols: z.array(z.enum(CHOICE_PROTOCOLS)).min(1).default(['original']),
    shots: z.int().nonnegative().optional().describe('default: 5, and 0 under lm-eval'),
  }),
  z.strictObject({
    kind: z.literal('gsm8k'),
    name: z.string(),
    data: z.string().describe('folder with test.jsonl and train.jsonl'),
    protocols: z.array(z.enum(MATH_PROTOCOLS)).min(1).default(['opencompass']),
    shots: z.int().nonnegative().optional().describe('default: 4 under opencompass, 5 under lm-eval'),
    maxNewTokens: z.int().positive().optional().describe('default: 512 under opencompass, 256 under lm-eval'),
    maxItems,
  }),
  z.strictObject({
    kind: z.literal('code'),
    name: z.string(),
    benchmark: z.enum(['humaneval', 'mbpp', 'mbpp-sanitized']),
    data: z.string().describe('HumanEval.jsonl[.gz], mbpp.jsonl or sanitized-mbpp.json'),
    shots: z.int().nonnegative().optional().describe('default: 0 for humaneval, 3 for mbpp'),
    maxNewTokens: z.int().positive().optional().describe('default: 512'),
    seconds: z.number().positive().optional().describe('wall time of a program; default: 3 for humaneval, 10 for mbpp'),
    samples: z.int().positive().default(1).describe('programs for each problem'),
    temperature: z.number().nonnegative().default(0),
    topP: z.number().positive().max(1).default(1),
    seed: z.int().nonnegative().default(0),
    k: z.array(z.int().positive()).min(1).default([1]).describe('of pass@k'),
    maxItems,
  }),
  z.strictObject({
    kind: z.literal('ifeval'),
    name: z.string(),
    data: z.string().describe('folder with input_data.jsonl, punkt_english/ and langdetect_profiles/'),
    format: z
      .enum(['chat', 'plain'])
      .optional()
      .describe('default: chat where the model has a chat template, otherwise the prompt alone'),
    maxNewTokens: z.int().positive().default(1280),
    maxItems,
  }),
  z.strictObject({
    kind: z.literal('instructions'),
    name: z.string(),
    data: z.string().describe('JSONL: {"prompt", "constraints"} a line'),
    maxNewTokens: z.int().positive().default(64),
  }),
  z.strictObject({
    kind: z.literal('followbench'),
    name: z.string(),
    data: z.string().describe('folder with content_constraints.json and the other five'),
    language: z.enum(FOLLOW_LANGUAGES).default('en').describe('whose rules and judge’s message'),
    maxNewTokens: z.int().positive().default(2048),
    maxGroups: z.int().positive().optional().describe('only the first so many groups of five levels of each category'),
  }),
  z.strictObject({
    kind: z.literal('mt-bench'),
    name: z.string(),
    data: z.string().describe('folder with question.jsonl, reference_answer/ and judge_prompts.jsonl'),
    references: z.string().optional().describe('file of reference_answer/; default: the corrected ones, if there'),
    maxNewTokens: z.int().positive().default(1024),
    seed: z.int().nonnegative().default(0),
    maxQuestions: z.int().positive().optional().describe('only the first so many questions'),
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
export type EvalTask = z.output<typeof evalTaskSchema>;
/** A benchmark of one kind. */
export type EvalTaskOf<K extends EvalTask['kind']> = Extract<EvalTask, { kind: K }>;

/** The recipe of `lethe eval`. */
export const evalRecipeSchema = z.strictObject({
  model: z.string().optional().describe('checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME'),
  out: z.string().default('runs/eval/results.json'),
  overlap: z
    .array(z.string())
    .default([])
    .describe('overlap.jsonl of prepared training data, or its folder: scores by whether items are in that data'),
  judge: judgeSchema.optional().describe('judges the answers of followbench and mt-bench'),
  tasks: z.array(evalTaskSchema).min(1),
});
