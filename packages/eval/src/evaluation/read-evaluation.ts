import { existsSync, readFileSync } from 'node:fs';
import { requireFile, UserError } from '@lethe/run';
import type { Evaluation } from './evaluation.js';

/** Reads results of `lethe eval`. @throws UserError for another file. */
export function readEvaluation(file: string): Evaluation {
  if (!existsSync(file)) throw new UserError(`${file}: no such file; give the results.json of lethe eval`);
  requireFile(file);
  let value: Partial<Evaluation> | null;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as typeof value;
  } catch (cause) {
    throw new UserError(`${file}: not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value?.model !== 'string' || !Array.isArray(value.tasks))
    throw new UserError(`${file}: not results of lethe eval (no "model" and "tasks")`);
  const old = (value.tasks as { kind: string; name: string }[]).find(
    (task) => task.kind !== 'perplexity' && !('items' in task),
  );
  if (old) throw new UserError(`${file}: ${old.name} has no items: made by an earlier version; evaluate again`);
  return value as Evaluation;
}
