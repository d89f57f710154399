import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where the shared real data lie; LETHE_DATA names another place. */
const ROOT = process.env['LETHE_DATA'] ?? path.resolve(__dirname, '../../../../shared');

/** A path in the shared real data. */
export function realData(...names: string[]): string {
  return path.join(ROOT, ...names);
}

/** `describe` if the named real data are there, else a counted skip. */
export function describeWith(...names: string[]): typeof describe | typeof describe.skip {
  return existsSync(realData(...names)) ? describe : describe.skip;
}
