import { z } from 'zod';
import { evalTaskSchema } from '../benchmarks.js';
import { judgeSchema } from '../judge/judge-recipe.js';

/** The recipe of `lethe eval`. */
export const evalRecipeSchema = z.strictObject({
  model: z.string().optional().describe('checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME'),
  out: z.string().default('runs/eval/results.json').describe('JSON with every score and item'),
  overlap: z
    .array(z.string())
    .default([])
    .describe('overlap.jsonl of prepared training data, or its folder: scores by whether items are in that data'),
  judge: judgeSchema.optional().describe('judges the answers of followbench and mt-bench'),
  tasks: z.array(evalTaskSchema).min(1).describe('benchmarks, each by its kind'),
});
