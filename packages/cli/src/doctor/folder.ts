import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { temporaryPath } from '@lethe/run';

/** Free bytes for a folder that is there or would be made. @throws a system error where nothing can be written there. */
export function roomIn(folder: string): number {
  let nearest = resolve(folder);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  const file = temporaryPath(join(nearest, 'doctor'));
  writeFileSync(file, 'written by lethe doctor');
  rmSync(file);
  const { bavail, bsize } = statfsSync(nearest);
  return bavail * bsize;
}
