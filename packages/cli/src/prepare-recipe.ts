import { z } from 'zod';

const columns = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ messages: z.string() }),
  z.strictObject({ ids: z.string(), mask: z.string().optional() }),
  z.strictObject({
    prompt: z.string(),
    response: z.string(),
    input: z.string().optional(),
    system: z.string().optional(),
  }),
]);

const source = z.union([
  z.string(),
  z.strictObject({
    path: z.string(),
    format: z.string().optional().describe('a format name, where content and name do not tell'),
    header: z.boolean().optional().describe('whether a CSV table begins with column names (default true)'),
    columns: columns.optional().describe('names of the columns, where they are not the usual ones'),
    split: z.enum(['file', 'line', 'paragraphs']).optional().describe('how a text file is cut into documents'),
  }),
]);

/** The recipe of `lethe prepare`. */
export const prepareRecipeSchema = z.strictObject({
  sources: z.array(source).min(1),
  out: z.string(),
  tokenizer: z.union([z.string(), z.strictObject({ train: z.strictObject({ vocabSize: z.int().positive() }) })]),
  as: z.enum(['text', 'chat', 'ids']).default('text'),
  template: z.string().optional().describe('how a question-answer row reads as text: "{prompt}\\n{response}"'),
  chatTemplate: z.string().optional(),
  heldOut: z.number().min(0).lt(1).default(0.01),
  seed: z.int().nonnegative().default(0),
  strict: z.boolean().default(false),
});

/** A validated preparation. */
export type PrepareRecipe = z.output<typeof prepareRecipeSchema>;
