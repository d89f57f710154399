import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '@lethe/run';

/** Rows that are to be written into a folder. */
export interface Room {
  folder: string;
  rows: number;
  bytes: number;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Free bytes where a folder is or will be. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(existing(folder));
  return bavail * bsize;
}

function existing(folder: string): string {
  let found = folder;
  while (!existsSync(found) && dirname(found) !== found) found = dirname(found);
  return found;
}

/**
 * @param free bytes of a folder's file system, for tests.
 * @throws UserError where a file system has too little room for what is to be written to it.
 */
export function requireRoom(wanted: readonly Room[], free: (folder: string) => number = freeBytes): void {
  const disks = new Map<number, Room>();
  for (const { folder, rows, bytes } of wanted) {
    const { dev } = statSync(existing(folder));
    const before = disks.get(dev);
    disks.set(dev, { folder, rows: rows + (before?.rows ?? 0), bytes: bytes + (before?.bytes ?? 0) });
  }
  for (const { folder, rows, bytes } of disks.values()) {
    const room = free(folder);
    if (bytes <= room) continue;
    throw new UserError(
      `model.original: cached: the hidden states of ${rows} rows take ${gib(bytes)}, and ${dirname(folder)} has ${gib(room)} free; ` +
        'make room, take fewer steps, move the shards to a larger disk, or set model.original: live',
    );
  }
}
