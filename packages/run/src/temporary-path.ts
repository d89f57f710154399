import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { orEmpty, startOf } from './process-start.js';

/** Where processes are told apart by their number: a machine, one boot of it, one space of numbers. Empty where the system does not say. */
export interface ProcessPlace {
  host: string;
  boot: string;
  processSpace: string;
}

/** The place of this process. */
export const thisPlace = (): ProcessPlace => ({
  host: hostname(),
  boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  processSpace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
});

/** The same, short enough for a name. */
const placeMark = (): string =>
  (mark ??= createHash('sha256').update(JSON.stringify(thisPlace())).digest('hex').slice(0, 8));
let mark: string | undefined;

/** The path a file or folder has until it is whole: in the same folder, hidden, marked with the place, start and number of its process. */
export function temporaryPath(path: string): string {
  const owner = `${placeMark()}-${startOf(process.pid) ?? ''}-${process.pid}`;
  return join(dirname(path), `.${basename(path)}.tmp-${owner}-${++temporaryCount}`);
}
let temporaryCount = 0;

// Versions before wrote the number of the process alone.
const MARK = String.raw`\.tmp-(?:([\da-f]{8})-(\d*)-)?(\d+)-\d+`;
const NAME = new RegExp(String.raw`^\..+${MARK}$`, 's');
const PART = new RegExp(String.raw`\.([^/]+)${MARK}`, 's');

/** Whether a name was made by {@link temporaryPath}: what a crash leaves behind. */
export const isTemporaryName = (name: string): boolean => NAME.test(name);

/** The name that was asked for, in place of the one a file has until it is whole. */
export const lastingPath = (path: string): string => path.replace(PART, '$1');

/**
 * Whether nobody writes a temporary file any more: its process has ended; where that is of another machine, which cannot be asked,
 * nothing changed for so many milliseconds.
 */
export function isAbandoned(path: string, silence: number): boolean {
  const [, place, started, pid] = NAME.exec(basename(path)) ?? [];
  if (place === placeMark()) return startOf(Number(pid)) !== started;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs >= silence;
}
