import type { Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { readingProblem, specialKind } from '@lethe/run';
import { fetchDataset } from '../hub/fetch-dataset.js';
import { isHubLocation } from '../hub/hub-location.js';
import { SourceError } from './document.js';
import { globPattern } from './glob.js';

/** A file to read; `isNamed` is true when the user named this very file. */
export interface FoundFile {
  file: string;
  isNamed: boolean;
  /** Why it is not read: a link that leads nowhere or to a file found before, a device, a pipe. */
  unread?: string;
}

/**
 * The files behind a path: itself, a directory's files (recursive, hidden ones left out), or the matches of a glob
 * (`*`, `**`, `?`, `{a,b}`), sorted by name; `-` is standard input; `hf://datasets/owner/name` is downloaded first.
 * A file that several links lead to is read once, under the first of its names that is no link.
 * @throws SourceError when nothing is there, for a device or pipe, and for a link to a directory that it lies in.
 */
export async function findFiles(source: string): Promise<FoundFile[]> {
  if (source === '-') return [{ file: '-', isNamed: true }];
  if (isHubLocation(source)) return (await fetchDataset(source)).map((file) => ({ file, isNamed: true }));
  const information = await stat(source).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined; // told below, if it is no glob
    throw new SourceError(`${source}: ${readingProblem(cause)}`, { cause });
  });
  if (information?.isFile()) return [{ file: source, isNamed: true }];
  const isDirectory = information?.isDirectory() === true;
  if (information && !isDirectory) {
    const why = `expected a file or directory, found ${specialKind(information)}`;
    throw new SourceError(`${source}: ${why}; give - and send it to standard input, or write it to a file`);
  }
  if (!isDirectory && !/[*?{]/.test(source)) {
    throw new SourceError(`${source}: no such file or directory; check the path of the source`);
  }
  const pattern = isDirectory ? undefined : globPattern(path.normalize(source));
  const root = isDirectory ? source : fixedPart(path.normalize(source));
  const isDeep = isDirectory || source.includes('**');
  const entries = (await listEntries(root, { isDeep, above: [], stop: new AbortController() })).filter(
    ({ file }) => !pattern || pattern.test(file),
  );
  if (entries.length === 0)
    throw new SourceError(`${source}: ${isDirectory ? 'the directory has no files' : 'no file matches'}`);
  return withoutRepeats(entries.sort((a, b) => (a.file < b.file ? -1 : 1)));
}

/** What lies at a path below a directory; `real` is where links lead, undefined for a link that leads nowhere. */
interface Entry {
  file: string;
  real?: string;
  kind?: string;
}

interface Walk {
  /** All that is below the directory is wanted. */
  isDeep: boolean;
  /** The real paths of the directories that are being listed. */
  above: readonly string[];
  /** Aborted by the first refusal: what is being listed beside it ends. */
  stop: AbortController;
}

async function listEntries(folder: string, walk: Walk): Promise<Entry[]> {
  const { isDeep, above, stop } = walk;
  if (stop.signal.aborted) return [];
  const refuse = (cause: Error): never => {
    stop.abort();
    throw new SourceError(`${folder}: cannot list the directory: ${readingProblem(cause)}`, { cause });
  };
  const real = await realpath(folder).catch(refuse);
  if (above.includes(real)) {
    if (!isDeep) return [];
    stop.abort();
    throw new SourceError(
      `${folder}: this link leads back to ${real}, in which it lies, so that its files would be read again and again; remove the link`,
    );
  }
  const names = (await readdir(folder).catch(refuse)).filter((name) => !name.startsWith('.'));
  const nested = names.map(async (name): Promise<Entry[]> => {
    const file = path.join(folder, name);
    const stats: Stats | undefined = await stat(file).catch(() => undefined);
    if (stats?.isDirectory()) return listEntries(file, { isDeep, above: [...above, real], stop });
    return [stats ? { file, real: await realpath(file), kind: specialKind(stats) } : { file }];
  });
  return (await Promise.all(nested)).flat();
}

/** Entries as files, each once: under its own path where that was found, else under the first link to it. */
async function withoutRepeats(entries: readonly Entry[]): Promise<FoundFile[]> {
  const first = new Map<string, string>();
  for (const { file, real } of entries) {
    if (real === undefined) continue;
    const isItself = (await realpath(path.dirname(file))) + path.sep + path.basename(file) === real;
    if (isItself || !first.has(real)) first.set(real, file);
  }
  return entries.map(({ file, real, kind }) => {
    const found = { file, isNamed: false };
    if (real === undefined) return { ...found, unread: 'a link that leads nowhere' };
    if (kind !== undefined) return { ...found, unread: `${kind}, not a file` };
    const own = first.get(real);
    return own === file ? found : { ...found, unread: `the same file as ${own}, which is read` };
  });
}

function fixedPart(glob: string): string {
  const parts = glob.split(path.sep);
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => /[*?{]/.test(part)),
  );
  return fixed.join(path.sep) || (glob.startsWith(path.sep) ? path.sep : '.');
}
