import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The folder itself where it is there, or the lowest of those above it that is. */
export function nearestFolder(folder: string): string {
  const nearest = resolve(folder);
  return existsSync(nearest) ? nearest : nearestFolder(dirname(nearest));
}

/** Free bytes where a folder is or will be. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(nearestFolder(folder));
  return bavail * bsize;
}
