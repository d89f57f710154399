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

const columns = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ messages: z.string(), system: z.string().optional(), tools: z.string().optional() }),
  z.strictObject({ ids: z.string(), mask: z.string().optional() }),
  z.strictObject({
    prompt: z.string(),
    response: z.string(),
    input: z.string().optional(),
    system: z.string().optional(),
    tools: z.string().optional(),
  }),
]);

/** A source of a recipe: a path, or a path with how it is read. */
export const sourceSchema = z.union([
  pathSchema,
  z.strictObject({
    path: pathSchema,
    format: z.string().optional().describe('a format name, where content and name do not tell'),
    header: z.boolean().optional().describe('whether a CSV table begins with column names (default true)'),
    columns: columns.optional().describe('names of the columns, where they are not the usual ones'),
    split: z
      .enum(['file', 'line', 'paragraphs', 'separator'])
      .optional()
      .describe('how a text file is cut into documents'),
  }),
]);
