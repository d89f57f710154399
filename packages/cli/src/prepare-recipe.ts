import { LANGUAGES } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';

/**
 * A path in which `${NAME}` and `${NAME:-default}` stand for environment variables.
 * @throws UserError for a variable that is neither set nor has a default.
 */
export function expandVariables(path: string): string {
  return path.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const value = process.env[name] || fallback;
    if (value !== undefined) return value;
    throw new UserError(`${path}: the environment variable ${name} is not set; set it, or write \${${name}:-DEFAULT}`);
  });
}

const path = z.string().transform(expandVariables);

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
  path,
  z.strictObject({
    path,
    format: z.string().optional().describe('a format name, where content and name do not tell'),
    header: z.boolean().optional().describe('whether a CSV table begins with column names (default true)'),
    columns: columns.optional().describe('names of the columns, where they are not the usual ones'),
    split: z
      .enum(['file', 'line', 'paragraphs', 'separator'])
      .optional()
      .describe('how a text file is cut into documents'),
  }),
]);

const share = z.number().min(0).max(1).optional();
const count = z.int().nonnegative().optional();
const bytes = z.int().positive().optional();
const byNgram = z.record(z.coerce.number().int().positive(), z.number().min(0).max(1)).optional();

const filters = z.strictObject({
  length: z
    .strictObject({ minWords: count, maxWords: count, minCharacters: count, maxCharacters: count })
    .optional()
    .describe('how long documents may be'),
  characters: z
    .union([
      z.literal(true),
      z.strictObject({ minLetters: share, maxDigits: share, maxSymbols: share, maxControl: share }),
    ])
    .optional()
    .describe('classes of characters, as shares of those that are not white space'),
  language: z
    .strictObject({ keep: z.array(z.enum(LANGUAGES as [string, ...string[]])).min(1) })
    .optional()
    .describe('languages to keep, told by script and function words'),
  repetition: z
    .union([
      z.literal(true),
      z.strictObject({
        duplicateLines: share,
        duplicateParagraphs: share,
        duplicateLineCharacters: share,
        duplicateParagraphCharacters: share,
        topNgrams: byNgram,
        duplicateNgrams: byNgram,
      }),
    ])
    .optional()
    .describe('how much documents may repeat themselves; true: Table A1 of the Gopher paper'),
  exactDuplicates: z.union([z.literal(true), z.strictObject({ maxBytes: bytes })]).optional(),
  nearDuplicates: z
    .union([
      z.literal(true),
      z.strictObject({
        similarity: z.number().gt(0).max(1).optional(),
        ngram: z.int().positive().optional(),
        bands: z.int().positive().optional(),
        rows: z.int().positive().optional(),
        maxBytes: bytes,
      }),
    ])
    .optional()
    .describe('MinHash; true: Jaccard similarity 0.8 of word 5-grams'),
  overlap: z
    .strictObject({
      sets: z.array(source).min(1),
      ngram: z.int().positive().optional(),
      drop: z.boolean().optional(),
    })
    .optional()
    .describe('n-grams shared with evaluation sets, listed in overlap.jsonl'),
});

/** The recipe of `lethe prepare`. */
export const prepareRecipeSchema = z.strictObject({
  sources: z.array(source).min(1),
  out: z.string(),
  tokenizer: z.union([path, z.strictObject({ train: z.strictObject({ vocabSize: z.int().positive() }) })]),
  as: z.enum(['text', 'chat', 'ids']).default('text'),
  template: z.string().optional().describe('how a question-answer row reads as text: "{prompt}\\n{response}"'),
  chatTemplate: z.string().optional(),
  heldOut: z.number().min(0).lt(1).default(0.01),
  seed: z.int().nonnegative().default(0),
  filters: filters.optional().describe('which documents are left out'),
  strict: z.boolean().default(false),
  checkpointTokens: z
    .int()
    .positive()
    .optional()
    .describe('tokens after which an interrupted preparation can go on (default 8 Mi); it decides the record batches'),
});

/** A validated preparation. */
export type PrepareRecipe = z.output<typeof prepareRecipeSchema>;
