import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeBytes, nearestFolder, temporaryPath } from '@lethe/run';

/** Free bytes for a folder that is there or would be made. @throws a system error where nothing can be written there. */
export function roomIn(folder: string): number {
  const file = temporaryPath(join(nearestFolder(folder), 'doctor'));
  writeFileSync(file, 'written by lethe doctor');
  rmSync(file);
  return freeBytes(folder);
}
