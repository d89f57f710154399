import { existsSync } from 'node:fs';
import { UserError } from '@lethe/run';
import type { EvalTask } from '../benchmarks.js';
import { readInstructions } from '../instructions/read-instructions.js';

/** Keys of a task that name a file or folder. */
const PATHS = ['data', 'shards'] as const;

/**
 * Looks for the files of every task, so that a wrong path is told before the first of them has run for hours.
 * @throws UserError naming the task, its key and the path.
 */
export function requireTaskFiles(tasks: readonly EvalTask[]): void {
  for (const task of tasks) {
    const values = task as unknown as Partial<Record<(typeof PATHS)[number], string>>;
    for (const key of PATHS) {
      const path = values[key];
      if (path !== undefined && !existsSync(path))
        throw new UserError(
          `${task.name}: ${key}: ${path}: no such file or folder; correct the path, or leave the task out`,
        );
    }
    if (task.kind === 'instructions') readInstructions(task.data);
  }
}
