import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { digestFile, type FileDigest } from './digest-file.js';
import { requireFile, specialKind } from './regular-file.js';
import { SUMS, sumsText } from './sums.js';
import { readingProblem } from './system-error.js';
import { isAbandoned, isTemporaryName, temporaryPath } from './temporary-path.js';
import { UserError } from './user-error.js';
import { explainWriteError, writing } from './write-error.js';

/** Name of the file that lists the others of an atomically written folder. */
export const FOLDER_MANIFEST = 'manifest.json';

/** No file takes longer to be written whole; of processes of other machines nothing else is known. */
const LONGEST_WRITE_MS = 60_000;

/** Removes what killed processes left beside a file that is written without a lock. */
function removeLeftovers(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`.${basename(path)}.tmp-`) || !isTemporaryName(name)) continue;
    const file = join(dirname(path), name);
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile();
    if (isFile && isAbandoned(file, LONGEST_WRITE_MS)) rmSync(file, { force: true });
  }
}

/**
 * Refuses an address such as hf://OWNER/NAME where something is to be written: as a path it would make a folder "hf:".
 * @throws UserError naming it.
 */
export function requireLocal(path: string): void {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    throw new UserError(
      `${path}: expected a path of this machine to write to, received an address; name a file or folder`,
    );
}

/**
 * Refuses to write over a file that is not what this program writes there.
 * @param written how such a file begins, and what it is called.
 * @throws UserError naming the file.
 */
export function requireReplaceable(path: string, written: { begins: RegExp; name: string }): void {
  requireWritable(path);
  if (!existsSync(path)) return;
  const handle = openSync(path, 'r');
  const head = Buffer.alloc(64);
  try {
    const text = head.toString('utf8', 0, readSync(handle, head));
    if (text === '' || written.begins.test(text)) return;
  } finally {
    closeSync(handle);
  }
  throw new UserError(`${path}: is no ${written.name}, and is not written over; take another name, or remove it`);
}

/** @throws UserError where a file is to be written and something else is there. */
function requireWritable(path: string): void {
  requireLocal(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  const kind = stats && specialKind(stats);
  if (kind) throw new UserError(`${path}: expected a file to write, found ${kind}; name a file`);
}

/**
 * Makes a folder, and those above it, so that they outlast a loss of power: each new one's entry is synced.
 * @returns the highest that was made; undefined where all were there.
 * @throws WriteError where the system refuses.
 */
export function makeFolder(path: string): string | undefined {
  const folder = resolve(path);
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at);
  // One by one: Node's recursive form says that there is no such folder where a quota or the disk refuses it.
  if (missing.length === 0 && !statSync(folder).isDirectory()) missing.push(folder);
  let made: string | undefined;
  for (const at of missing) {
    if (writing(path, () => makeOne(at))) made ??= at;
    writing(path, () => syncPath(dirname(at)));
  }
  return made;
}

/** @returns false where another process was quicker. */
function makeOne(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(folder).isDirectory()) return false;
    throw error;
  }
}

/**
 * Writes a file so that readers, and a machine that loses power, see the old file or the new one, never a part: it is
 * written under a temporary name, synced, renamed, and the folder synced.
 * @throws WriteError where the system refuses, such as on a full disk.
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  requireWritable(path);
  makeFolder(dirname(path));
  const temporary = temporaryPath(path);
  try {
    removeLeftovers(path);
    writeFileSync(temporary, content);
    syncPath(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explainWriteError(error, path, Buffer.byteLength(content));
  }
  writing(path, () => syncPath(dirname(path)));
}

/** What {@link writeFolderAtomically} does with what is there already. */
export interface WriteFolderOptions {
  /** Replace an existing folder instead of refusing it. Default false. */
  replace?: boolean;
  /** What lists the files and their hashes: {@link FOLDER_MANIFEST}, or for a folder of others' layout {@link SUMS}. Default `manifest`. */
  list?: 'manifest' | 'sums' | 'none';
}

/**
 * Writes a folder so that it exists whole or not at all. `writer` fills a temporary folder; then every file is synced
 * and hashed, the list of hashes is written last, and the folder is renamed.
 *
 * @throws UserError when the folder exists and is not empty, unless `replace` is set. Nothing is left after a throw.
 */
export async function writeFolderAtomically(
  path: string,
  writer: (temporaryFolder: string) => void | Promise<void>,
  options: WriteFolderOptions = {},
): Promise<void> {
  requireLocal(path);
  if (!options.replace) requireEmpty(path);
  makeFolder(dirname(resolve(path)));
  const temporary = temporaryPath(path);
  try {
    mkdirSync(temporary);
    await writer(temporary);
    const files = Object.fromEntries(
      listFiles(temporary).map((name) => [name, digestFile(join(temporary, name), true)]),
    );
    const { list = 'manifest' } = options;
    if (list === 'manifest')
      writeFileAtomically(join(temporary, FOLDER_MANIFEST), `${JSON.stringify({ files }, null, 2)}\n`);
    if (list === 'sums') writeFileAtomically(join(temporary, SUMS), sumsText(files));
    syncFolders(temporary);
    if (!options.replace) requireEmpty(path); // another process may have been quicker
    swapFolders(temporary, path);
  } catch (error) {
    const problem = explainWriteError(error, path); // before the room that the parts took is given back
    rmSync(temporary, { recursive: true, force: true });
    throw problem;
  }
}

function requireEmpty(path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  const isFree =
    entry === undefined || (existsSync(path) && statSync(path).isDirectory() && readdirSync(path).length === 0);
  if (!isFree) throw new UserError(`${path}: expected a folder that is absent or empty; choose another or remove it`);
}

/** Puts `fresh` in the place of `path`; what was there is removed only afterwards, and is there again where that fails. */
function swapFolders(fresh: string, path: string): void {
  const old = temporaryPath(path);
  const isThere = existsSync(path);
  if (isThere) renameSync(path, old);
  try {
    renameSync(fresh, path);
    syncPath(dirname(resolve(path)));
  } catch (error) {
    if (!existsSync(fresh)) renameSync(path, fresh);
    if (isThere) renameSync(old, path);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

/**
 * Checks every file of a folder against its manifest.
 *
 * @returns the files that the manifest lists.
 * @throws UserError naming the manifest when it is none, or the first file that is missing, of another size, or of another
 *   hash.
 */
export function verifyFolder(path: string): string[] {
  const files = readFolderManifest(join(path, FOLDER_MANIFEST));
  for (const [name, expected] of Object.entries(files)) {
    const file = join(path, name);
    if (!existsSync(file)) throw new UserError(`${file}: expected ${expected.bytes} bytes, the file is missing`);
    requireFile(file);
    const { bytes, sha256 } = digestFile(file);
    if (bytes !== expected.bytes) throw new UserError(`${file}: expected ${expected.bytes} bytes, received ${bytes}`);
    if (sha256 !== expected.sha256) {
      throw new UserError(`${file}: expected SHA-256 ${expected.sha256}, received ${sha256}: the file was changed`);
    }
  }
  return Object.keys(files);
}

function readFolderManifest(manifest: string): Record<string, FileDigest> {
  try {
    const { files } = JSON.parse(readFileSync(manifest, 'utf8')) as { files?: Record<string, FileDigest> };
    if (typeof files !== 'object' || files === null) throw new Error("expected a 'files' mapping");
    for (const [name, digest] of Object.entries(files)) {
      const isDigest = Number.isInteger(digest?.bytes) && /^[0-9a-f]{64}$/.test(digest.sha256);
      if (!isDigest) throw new Error(`${name}: expected bytes and sha256, received ${JSON.stringify(digest)}`);
    }
    return files;
  } catch (cause) {
    throw new UserError(`${manifest}: cannot read the manifest: ${readingProblem(cause)}`, { cause });
  }
}

function listFiles(root: string): string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.filter((name) => statSync(join(root, name)).isFile()).sort();
}

function syncFolders(root: string): void {
  for (const name of readdirSync(root, { recursive: true }) as string[]) {
    if (statSync(join(root, name)).isDirectory()) syncPath(join(root, name));
  }
  syncPath(root);
}

/** What a file system says that does not sync folders. */
const NO_SYNC = new Set(['EINVAL', 'EPERM', 'ENOTSUP']);

/** Waits until a file's bytes, or a folder's entries, are on the disk. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!NO_SYNC.has((error as NodeJS.ErrnoException).code ?? '') || !statSync(path).isDirectory()) throw error;
  } finally {
    closeSync(handle);
  }
}
