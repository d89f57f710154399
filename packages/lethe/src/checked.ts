import { describeIssues, UserError } from '@lethe/run';
import type { z } from 'zod';

/** Settings with their defaults. @throws UserError that names every key that is wrong, and what was expected. */
export function checked<S extends z.ZodType>(schema: S, settings: unknown): z.output<S> {
  const { data, error } = schema.safeParse(settings, { reportInput: true });
  if (!error) return data;
  throw new UserError(describeIssues(error.issues, settings).join('\n'));
}
