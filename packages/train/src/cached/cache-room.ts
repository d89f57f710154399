import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { freeBytes, nearestFolder, UserError } from '@lethe/run';

/** Rows that are to be written into a folder. */
export interface Room {
  folder: string;
  rows: number;
  bytes: number;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/**
 * @param free bytes of a folder's file system, for tests.
 * @throws UserError where a file system has too little room for what is to be written to it.
 */
export function requireRoom(wanted: readonly Room[], free: (folder: string) => number = freeBytes): void {
  const disks = new Map<number, Room>();
  for (const { folder, rows, bytes } of wanted) {
    const { dev } = statSync(nearestFolder(folder));
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
