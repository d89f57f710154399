import { filtersSchema, pathSchema, sourceSchema } from '@lethe/data-pipeline';
import { z } from 'zod';

/** The recipe of `lethe prepare`. */
export const prepareRecipeSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1),
  out: z.string(),
  tokenizer: z.union([pathSchema, z.strictObject({ train: z.strictObject({ vocabSize: z.int().positive() }) })]),
  as: z.enum(['text', 'chat', 'ids']).default('text'),
  template: z.string().optional().describe('how a question-answer row reads as text: "{prompt}\\n{response}"'),
  chatTemplate: z.string().optional(),
  heldOut: z.number().min(0).lt(1).default(0.01),
  seed: z.int().nonnegative().default(0),
  filters: filtersSchema.optional().describe('which documents are left out'),
  strict: z.boolean().default(false),
  checkpointTokens: z
    .int()
    .positive()
    .optional()
    .describe('tokens after which an interrupted preparation can go on (default 8 Mi); it decides the record batches'),
});

/** A validated preparation. */
export type PrepareRecipe = z.output<typeof prepareRecipeSchema>;
