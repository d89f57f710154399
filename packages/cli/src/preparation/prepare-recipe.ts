import { filtersSchema, pathSchema, sourceSchema } from '@lethe/data-pipeline';
import { z } from 'zod';

/** The recipe of `lethe prepare`. */
export const prepareRecipeSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1).describe('files, folders, globs, hf:// locations, or - for standard input'),
  out: z.string().describe('folder to write: train/ and heldout/'),
  tokenizer: z
    .union([
      pathSchema,
      z.strictObject({
        train: z
          .strictObject({ vocabSize: z.int().positive().describe('ids of the trained tokenizer') })
          .describe('train a BPE tokenizer on the sources'),
      }),
    ])
    .describe('folder (or file) of a Hugging Face tokenizer.json, or one to train'),
  as: z
    .enum(['text', 'chat', 'ids'])
    .default('text')
    .describe('text: every token is a target; chat: assistant turns only; ids: rows that are token ids already'),
  template: z.string().optional().describe('how a question-answer row reads as text: "{prompt}\\n{response}"'),
  chatTemplate: z.string().optional().describe('a Jinja template, or the name of one of several that the model has'),
  answers: z
    .enum(['all', 'last', 'each'])
    .default('all')
    .describe('which answers of a conversation are targets; each: a document for each answer'),
  specialTokens: z
    .enum(['text', 'parse'])
    .default('text')
    .describe('whether text that spells a special token becomes it: chats that were rendered before'),
  heldOut: z.number().min(0).lt(1).default(0.01).describe('share of the documents that is held out'),
  seed: z.int().nonnegative().default(0).describe('of the choice of held-out documents'),
  filters: filtersSchema.optional().describe('which documents are left out'),
  threads: z.int().positive().optional().describe('CPU threads that tokenize (default: all cores)'),
  strict: z.boolean().default(false).describe('stop at the first row that cannot be read'),
  checkpointTokens: z
    .int()
    .positive()
    .optional()
    .describe('tokens after which an interrupted preparation can go on (default 8 Mi); it decides the record batches'),
});

/** A recipe beside flags, which may give what it lacks. */
export const partialPrepareRecipeSchema = prepareRecipeSchema.partial({ sources: true, out: true, tokenizer: true });

/** A validated preparation. */
export type PrepareRecipe = z.output<typeof prepareRecipeSchema>;
