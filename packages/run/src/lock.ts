import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { makeFolder, requireLocal } from './atomic-file.js';
import { createLogger } from './log.js';
import { startOf } from './process-start.js';
import { isAbandoned, isTemporaryName, type ProcessPlace, temporaryPath, thisPlace } from './temporary-path.js';
import { UserError } from './user-error.js';
import { explainWriteError, writing } from './write-error.js';

/** Who holds a lock: enough to tell whether that process still lives, and to tell a person which one it is. */
interface Owner extends ProcessPlace {
  pid: number;
  /** Clock ticks from boot to the start of the process, which tells it from a later one of the same number. */
  started: string;
  since: string;
}

/** Someone else works on what was asked for. */
export class LockedError extends UserError {}

/** Milliseconds between heartbeats, and the silence after which an owner on another machine counts as gone. */
const HEARTBEAT_MS = 15_000;
const SILENCE_MS = 300_000;

/** What is to be written lies on this machine. @throws UserError for an address. */
function local(path: string): string {
  requireLocal(path);
  return path;
}

/** The lock of a folder that stays while it is worked on: a file within it. */
export const lockWithin = (folder: string): string => join(local(folder), '.lock');

/** The lock of a folder or file that appears whole at its end: a file beside it. */
export const lockBeside = (path: string): string =>
  join(dirname(resolve(local(path))), `.${basename(resolve(path))}.lock`);

/**
 * Does work while this process, and no other, holds a lock. A lock is taken over where its owner is certainly gone: a
 * process of this machine that no longer runs, or one of another machine whose heartbeat has been silent for five minutes.
 * Temporary files that a killed owner left are removed first.
 * @throws LockedError naming the owner, before any work is done.
 */
export async function whileLocked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const path = resolve(file); // work may change the working folder
  const release = acquire(path);
  try {
    removeLeftovers(path);
    return await work();
  } finally {
    release();
  }
}

/** Removes a lock that a killed process left, and its temporary files; nothing where there is none, or its owner lives. */
export async function removeDeadLock(file: string): Promise<void> {
  if (!existsSync(file)) return;
  try {
    await whileLocked(file, () => Promise.resolve());
  } catch (error) {
    if (!(error instanceof LockedError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** Takes a lock. @returns what gives it back. */
function acquire(file: string): () => void {
  const content = `${JSON.stringify(thisProcess())}\n`;
  // Written first and then linked, which fails where the name is taken: nobody sees half a lock, also after a loss of power.
  const fresh = temporaryPath(file);
  let made: string | undefined;
  let isTaken = false;
  try {
    made = writeInFolder(fresh, content);
    while (!writing(dirname(file), () => takeName(fresh, file))) removeAbandoned(file, statSync(fresh).mtimeMs);
    isTaken = true;
    writing(dirname(file), () => rmSync(fresh, { force: true }));
  } catch (error) {
    discard(fresh);
    if (isTaken) giveBack(file, content, made);
    else if (made !== undefined) removeEmpty(dirname(file), made);
    throw error;
  }
  unremoved.delete(file);
  const heartbeat = beat(file, content);
  return () => {
    void heartbeat.terminate();
    const problem = giveBack(file, content, made);
    // The work is done, or its own error is told: neither is undone by a lock that stays.
    if (problem)
      createLogger().warn(
        `${file}: the lock could not be removed (${problem.message}); the next command on this machine removes it, ` +
          `one on another after ${SILENCE_MS / 60_000} minutes`,
      );
  };
}

/** Locks that this process gave back, and that the disk did not remove, with their content: their owner lives, and they are held by none. */
const unremoved = new Map<string, string>();

/** Removes a lock, and the folders that were made for it where nothing is in them. @returns what the system refused. */
function giveBack(file: string, content: string, made?: string): Error | undefined {
  try {
    if (read(file) === content) rmSync(file, { force: true });
    if (made !== undefined) removeEmpty(dirname(file), made);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    unremoved.set(file, content);
    return error as Error;
  }
}

/** Removes a file after an error, which is told whatever becomes of this: where a folder is a file, so is the way to its files. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

/** Writes a file to the disk, and makes its folder. @returns the highest folder that was made. */
function writeInFolder(file: string, content: string): string | undefined {
  let made: string | undefined;
  for (let left = 100; ; left--) {
    try {
      made = makeFolder(dirname(file)) ?? made;
      writeFileSync(file, content, { flag: 'wx', flush: true });
      return made;
    } catch (error) {
      // Whoever gave the lock back may have removed the folder that it had made.
      if (left > 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      discard(file);
      if (made !== undefined) removeEmpty(dirname(file), made);
      const folder = dirname(file); // what the user named; the lock is ours
      throw explainWriteError(Object.assign(error as Error, { path: folder }), folder, Buffer.byteLength(content));
    }
  }
}

/** Removes the temporary files of what the lock covers: whoever wrote them is gone. */
function removeLeftovers(file: string): void {
  const folder = dirname(file);
  const beside = /^\.(.+)\.lock$/s.exec(basename(file));
  if (!beside) return removeWithin(folder);
  const isMine = (name: string): boolean => name.startsWith(`.${beside[1]}.tmp-`) && isTemporaryName(name);
  for (const name of readdirSync(folder)) {
    if (isMine(name)) rmSync(join(folder, name), { recursive: true, force: true });
    else if (name.startsWith(`.${basename(file)}.tmp-`)) removeLock(join(folder, name));
  }
}

/** Removes a lock that was to be taken, where its owner is gone; another process may be about to take one. */
function removeLock(path: string): void {
  if (isAbandoned(path, SILENCE_MS)) rmSync(path, { force: true });
}

function removeWithin(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (isTemporaryName(entry.name) && entry.name.includes('.lock.')) removeLock(path);
    else if (isTemporaryName(entry.name)) rmSync(path, { recursive: true, force: true });
    // Folders with a lock of their own are cleaned by whoever takes it.
    else if (entry.isDirectory() && !existsSync(lockWithin(path))) removeWithin(path);
  }
}

/** Removes a folder that was made for the lock, and those above it, where work left nothing in them. */
function removeEmpty(folder: string, highest: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return;
    throw error;
  }
  if (folder !== highest) removeEmpty(dirname(folder), highest);
}

function takeName(fresh: string, file: string): boolean {
  try {
    linkSync(fresh, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
  }
  // A file system without links.
  try {
    writeFileSync(file, readFileSync(fresh), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose owner is gone. @throws LockedError where it is not, or may not be. */
function removeAbandoned(file: string, now: number): void {
  const content = read(file);
  if (content === undefined) return;
  const silent = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now);
  const owner = parse(content);
  if (unremoved.get(file) !== content && !isGone(owner, silent)) throw new LockedError(refusal(file, owner, silent));
  // Another process may have taken the lock over since it was read: what was moved away is looked at once more.
  const moved = temporaryPath(file);
  try {
    renameSync(file, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (read(moved) !== content) takeName(moved, file);
  rmSync(moved, { force: true });
}

function refusal(file: string, owner: Owner | undefined, silent: number): string {
  if (!owner) return `${file}: expected a lock of Lethe, found something else; remove it if nothing works there`;
  const { pid, host, since } = owner;
  const seconds = Math.max(0, Math.round(silent / 1000));
  return (
    `${dirname(file)}: process ${pid} on ${host} has worked here since ${since} (last sign of life ${seconds} s ago); ` +
    `wait for it, choose another folder, or, if it is certainly gone, remove ${file}`
  );
}

function isGone(owner: Owner | undefined, silent: number): boolean {
  if (!owner) return silent > SILENCE_MS; // cut short by a loss of power
  const here = thisProcess();
  if (owner.host !== here.host) return silent > SILENCE_MS;
  if (owner.boot !== here.boot) return true;
  // Another container under the same name: its process numbers mean nothing here.
  if (owner.processSpace !== here.processSpace) return silent > SILENCE_MS;
  const started = startOf(owner.pid);
  return started === undefined || started !== owner.started;
}

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

function parse(content: string): Owner | undefined {
  try {
    const owner = JSON.parse(content) as Owner | null;
    return Number.isInteger(owner?.pid) && typeof owner?.host === 'string' ? owner : undefined;
  } catch {
    return undefined; // told by the caller
  }
}

function thisProcess(): Owner {
  const since = new Date().toISOString();
  const { pid } = process;
  return { ...thisPlace(), pid, started: startOf(pid) ?? '', since };
}

const HEARTBEAT = `
const { openSync, readFileSync, writeSync, closeSync } = require('node:fs');
const { file, content, every } = require('node:worker_threads').workerData;
setInterval(() => {
  try {
    if (readFileSync(file, 'utf8') !== content) return;
    const handle = openSync(file, 'r+');
    writeSync(handle, content, 0);
    closeSync(handle);
  } catch {}
}, every);`;

/** Writes the lock anew from time to time, by the file system's clock; in a thread, for a step may keep this one for minutes. */
function beat(file: string, content: string): Worker {
  const worker = new Worker(HEARTBEAT, { eval: true, workerData: { file, content, every: HEARTBEAT_MS } });
  worker.unref();
  return worker;
}
