import { existsSync } from 'node:fs';
import { readJsonFile, UserError } from '@lethe/run';
import type { Evaluation } from './evaluation.js';

/** Reads results of `lethe eval`. @throws UserError for another file. */
export function readEvaluation(file: string): Evaluation {
  if (!existsSync(file)) throw new UserError(`${file}: no such file; give the results.json of lethe eval`);
  const value = readJsonFile(file) as Partial<Evaluation> | null;
  if (typeof value?.model !== 'string' || !Array.isArray(value.tasks))
    throw new UserError(`${file}: not results of lethe eval (no "model" and "tasks")`);
  const old = (value.tasks as { kind: string; name: string }[]).find(
    (task) => task.kind !== 'perplexity' && !('items' in task),
  );
  if (old) throw new UserError(`${file}: ${old.name} has no items: made by an earlier version; evaluate again`);
  return value as Evaluation;
}
