import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fetchDataset } from '../hub/fetch-dataset.js';
import { isHubLocation } from '../hub/hub-location.js';
import { SourceError } from './document.js';
import { globPattern } from './glob.js';

/** A file to read; `isNamed` is true when the user named this very file. */
export interface FoundFile {
  file: string;
  isNamed: boolean;
}

/**
 * The files behind a path: itself, a directory's files (recursive, hidden ones left out), or the matches of a glob
 * (`*`, `**`, `?`, `{a,b}`), sorted by name; `-` is standard input; `hf://datasets/owner/name` is downloaded first.
 * @throws SourceError when nothing is there.
 */
export async function findFiles(source: string): Promise<FoundFile[]> {
  if (source === '-') return [{ file: '-', isNamed: true }];
  if (isHubLocation(source)) return (await fetchDataset(source)).map((file) => ({ file, isNamed: true }));
  const information = await stat(source).catch(() => undefined);
  if (information?.isFile()) return [{ file: source, isNamed: true }];
  const isDirectory = information?.isDirectory() === true;
  if (!isDirectory && !/[*?{]/.test(source)) {
    throw new SourceError(`${source}: no such file or directory; check the path of the source`);
  }
  const pattern = isDirectory ? undefined : globPattern(path.normalize(source));
  const root = isDirectory ? source : fixedPart(path.normalize(source));
  const files = (await listFiles(root)).filter((file) => !pattern || pattern.test(file)).sort();
  if (files.length === 0)
    throw new SourceError(`${source}: ${isDirectory ? 'the directory has no files' : 'no file matches'}`);
  return files.map((file) => ({ file, isNamed: false }));
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) => {
    throw new SourceError(`${folder}: cannot list the directory: ${cause.message}`, { cause });
  });
  const nested = entries
    .filter((entry) => !entry.name.startsWith('.'))
    .map(async (entry) => {
      const file = path.join(folder, entry.name);
      const kind = entry.isSymbolicLink() ? await stat(file).catch(() => undefined) : entry;
      if (kind?.isDirectory()) return listFiles(file);
      return kind?.isFile() ? [file] : [];
    });
  return (await Promise.all(nested)).flat();
}

function fixedPart(glob: string): string {
  const parts = glob.split(path.sep);
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => /[*?{]/.test(part)),
  );
  return fixed.join(path.sep) || (glob.startsWith(path.sep) ? path.sep : '.');
}
