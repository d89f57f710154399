import { readFileSync } from 'node:fs';
import { requireFile } from './regular-file.js';
import { readingProblem } from './system-error.js';
import { UserError } from './user-error.js';

/** What a JSON file holds. @throws UserError naming the file, why it cannot be read, and the remedy. */
export function readJsonFile(file: string): unknown {
  requireFile(file);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`${file}: ${readingProblem(cause)}`, { cause });
  }
}
