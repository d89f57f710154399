import { createHash } from 'node:crypto';
import { access, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { findFiles } from '../documents/find-files.js';
import type { Source } from '../documents/read-documents.js';
import { INDEX_FILE } from '../shards/shard-index.js';
import type { PrepareOptions, PrepareReport } from './prepare-options.js';

/** Bumped when the same sources and options would give other shards than before. */
const PREPARE_VERSION = 3;

/** What identifies a preparation, and how many bytes it reads; both undefined for standard input. */
export interface Fingerprint {
  hash: string | undefined;
  bytesTotal: number | undefined;
}

/** Hash of options, tokenizer, and the paths, sizes and times of the source files. @throws SourceError as `findFiles`. */
export async function fingerprint(options: PrepareOptions): Promise<Fingerprint> {
  const files: [string, number, number][] = [];
  for (const source of options.sources) {
    const found = await describeFiles(source);
    if (!found) return { hash: undefined, bytesTotal: undefined };
    files.push(...found);
  }
  const evaluation = await Promise.all((options.filters?.overlap?.sets ?? []).map(describeFiles));
  const { tokenizer, signal: _signal, force: _force, out: _out, strict: _strict, threads: _threads, ...rest } = options;
  const content = JSON.stringify({
    version: PREPARE_VERSION,
    rest,
    tokenizer: tokenizer.hash,
    core: tokenizer.core,
    files,
    evaluation,
  });
  const bytesTotal = files.reduce((total, [, size]) => total + size, 0);
  return { hash: createHash('sha256').update(content).digest('hex'), bytesTotal };
}

/** Path, size and time of a source's files; undefined for standard input. */
async function describeFiles(source: string | Source): Promise<[string, number, number][] | undefined> {
  const found = await findFiles(typeof source === 'string' ? source : source.path);
  const files = found.filter(({ unread }) => unread === undefined);
  if (files.some(({ file }) => file === '-')) return undefined;
  return Promise.all(
    files.map(async ({ file }) => {
      const { size, mtimeMs } = await stat(file);
      return [path.resolve(file), size, mtimeMs] as [string, number, number];
    }),
  );
}

/** The report of an earlier preparation with this fingerprint, if its shards are still there. */
export async function findPrepared(out: string, hash: string | undefined): Promise<PrepareReport | undefined> {
  if (hash === undefined) return undefined;
  try {
    const report = JSON.parse(await readFile(path.join(out, 'prepare.json'), 'utf8')) as PrepareReport;
    if (report.fingerprint !== hash) return undefined;
    for (const split of Object.values(report.splits)) await access(path.join(out, split.folder, INDEX_FILE));
    return report;
  } catch {
    return undefined; // nothing there, or not whole: prepare anew
  }
}
