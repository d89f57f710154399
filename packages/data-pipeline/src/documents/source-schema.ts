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

/** A path of a recipe. */
export const pathSchema = z.string().transform(expandVariables);

const system = z.string().optional().describe('column of system messages');
const tools = z.string().optional().describe('column of tools that the model may call');

const columns = z.union([
  z.strictObject({ text: z.string().describe('column of plain text') }),
  z.strictObject({
    messages: z.string().describe('column of chat messages'),
    system,
    tools,
  }),
  z.strictObject({
    ids: z.string().describe('column of token ids'),
    mask: z.string().optional().describe('column that is 1 where a token is a target'),
  }),
  z.strictObject({
    prompt: z.string().describe('column of questions'),
    response: z.string().describe('column of answers'),
    input: z.string().optional().describe('column of what a question is about, put behind it'),
    system,
    tools,
  }),
]);

/** A source of a recipe: a path, or a path with how it is read. */
export const sourceSchema = z.union([
  pathSchema,
  z.strictObject({
    path: pathSchema.describe('file, folder, glob, hf:// location, or -'),
    format: z.string().optional().describe('a format name, where content and name do not tell'),
    header: z.boolean().optional().describe('whether a CSV table begins with column names (default true)'),
    columns: columns.optional().describe('names of the columns, where they are not the usual ones'),
    split: z
      .enum(['file', 'line', 'paragraphs', 'separator'])
      .optional()
      .describe('how a text file is cut into documents'),
  }),
]);
