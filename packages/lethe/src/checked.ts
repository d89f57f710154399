import { UserError } from '@lethe/run';
import type { z } from 'zod';

/** Settings with their defaults. @throws UserError that names every key that is wrong, and what was expected. */
export function checked<S extends z.ZodType>(schema: S, settings: unknown): z.output<S> {
  const { data, error } = schema.safeParse(settings);
  if (!error) return data;
  const issues = error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new UserError(issues.join('\n'));
}
