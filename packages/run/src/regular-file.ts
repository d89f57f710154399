import { type Stats, statSync } from 'node:fs';
import { UserError } from './user-error.js';

/** What a path is where it is no file, in words; undefined for a file. */
export function specialKind(stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/**
 * Refuses what would be read without end, or never: devices, pipes, sockets, and directories. A path that is not there is
 * left to whoever opens it, who says what was expected.
 * @throws UserError naming the path.
 */
export function requireFile(file: string): void {
  let stats: Stats;
  try {
    stats = statSync(file);
  } catch {
    return; // Nothing to read there: opening it says why.
  }
  const kind = specialKind(stats);
  if (kind) throw new UserError(`${file}: expected a file, found ${kind}; ${remedyOf(kind)}`);
}

const remedyOf = (kind: string): string =>
  kind === 'a pipe' ? 'write what it gives to a file first' : 'correct the path, or the link that leads there';
