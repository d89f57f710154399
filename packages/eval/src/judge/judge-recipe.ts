import { z } from 'zod';
import { HttpJudge, JUDGE_KEY_VARIABLE } from './http-judge.js';
import type { Judging } from './judge-answers.js';

/** The judge of a recipe. Its key is no part of it: it comes from the environment alone. */
export const judgeSchema = z.strictObject({
  url: z.string().describe('base of an OpenAI-compatible interface, such as https://api.openai.com/v1'),
  model: z.string().min(1).describe('the model that judges'),
  rejudge: z.int().nonnegative().default(0).describe('further judgements of every answer, for the judge’s own noise'),
  concurrency: z.int().min(1).max(256).default(4).describe('requests at once'),
  attempts: z.int().positive().default(8).describe('of a request that fails for now: 429, 5xx, no connection'),
  timeout: z.number().positive().default(180).describe('seconds for one request'),
});
export type JudgeRecipe = z.output<typeof judgeSchema>;

/** The judge that a recipe names. @param folder that keeps its judgements. @throws JudgeError for a wrong URL. */
export function openJudge(
  { url, model, rejudge, concurrency, attempts, timeout }: JudgeRecipe,
  folder: string | undefined,
): Omit<Judging, 'onProgress'> {
  const key = process.env[JUDGE_KEY_VARIABLE] || undefined;
  return { judge: new HttpJudge({ url, model, key, attempts, timeout }), rejudge, concurrency, folder };
}
