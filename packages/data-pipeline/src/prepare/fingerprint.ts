import { createHash } from 'node:crypto';
import { access, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { findFiles } from '../documents/find-files.js';
import { INDEX_FILE } from '../shards/shard-index.js';
import type { PrepareOptions, PrepareReport } from './prepare-options.js';

/** Bumped when the same sources and options would give other shards than before. */
const PREPARE_VERSION = 1;

/** What identifies a preparation, and how many bytes it reads; both undefined for standard input. */
export interface Fingerprint {
  hash: string | undefined;
  bytesTotal: number | undefined;
}

/** Hash of options, tokenizer, and the paths, sizes and times of the source files. @throws SourceError as `findFiles`. */
export async function fingerprint(options: PrepareOptions): Promise<Fingerprint> {
  const files: [string, number, number][] = [];
  for (const source of options.sources) {
    for (const { file } of await findFiles(typeof source === 'string' ? source : source.path)) {
      if (file === '-') return { hash: undefined, bytesTotal: undefined };
      const { size, mtimeMs } = await stat(file);
      files.push([path.resolve(file), size, mtimeMs]);
    }
  }
  const { tokenizer, signal: _signal, force: _force, out: _out, strict: _strict, ...rest } = options;
  const content = JSON.stringify({
    version: PREPARE_VERSION,
    rest,
    tokenizer: tokenizer.hash,
    core: tokenizer.core,
    files,
  });
  const bytesTotal = files.reduce((total, [, size]) => total + size, 0);
  return { hash: createHash('sha256').update(content).digest('hex'), bytesTotal };
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
