import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { requireFile } from '@lethe/run';
import { SourceError, type Place } from '../documents/document.js';
import { OVERLAP_FILE, type OverlapFinding, type OverlapSearch } from './overlap-filter.js';

/** Whether an evaluation item was found in training data; `too short` items were not looked for. */
export type OverlapStatus = 'overlapping' | 'clean' | 'too short';

/** What preparations found of evaluation sets in their data. */
export class Overlaps {
  private readonly searched = new Map<string, Set<number>>();
  private readonly found = new Map<string, Set<number>>();

  /** The status of an item; undefined where its file was not looked for. */
  statusOf({ file, line }: Place): OverlapStatus | undefined {
    const tooShort = this.searched.get(path.resolve(file));
    if (!tooShort) return undefined;
    if (this.found.get(path.resolve(file))?.has(line)) return 'overlapping';
    return tooShort.has(line) ? 'too short' : 'clean';
  }

  /** Adds a line of overlap.jsonl. */
  add(entry: OverlapSearch | OverlapFinding): void {
    if ('searched' in entry) addAll(this.searched, entry.searched.file, entry.searched.tooShort);
    else addAll(this.found, entry.evaluation.file, [entry.evaluation.line]);
  }
}

/**
 * Reads overlap.jsonl files, or those of preparations' folders.
 * @throws SourceError when one is missing, or holds something else.
 */
export async function readOverlaps(locations: readonly string[]): Promise<Overlaps> {
  const overlaps = new Overlaps();
  for (const location of locations) {
    const isFolder = (await stat(location).catch(() => undefined))?.isDirectory() !== false;
    const file = isFolder ? path.join(location, OVERLAP_FILE) : location;
    requireFile(file);
    const text = await readFile(file, 'utf8').catch((cause: Error) => {
      throw new SourceError(`${file}: ${cause.message}; prepare the data with filters.overlap (or --overlap SET)`, {
        cause,
      });
    });
    for (const [i, line] of text.trimEnd().split('\n').entries()) overlaps.add(parse(line, `${file}:${i + 1}`));
  }
  return overlaps;
}

function parse(line: string, where: string): OverlapSearch | OverlapFinding {
  const wrong = new SourceError(`${where}: expected a line of overlap.jsonl, received ${line.slice(0, 60)}`);
  let entry: Partial<OverlapSearch & OverlapFinding>;
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    throw wrong;
  }
  if (Array.isArray(entry?.searched?.tooShort) || typeof entry?.evaluation?.line === 'number') {
    return entry as OverlapSearch | OverlapFinding;
  }
  throw wrong;
}

function addAll(sets: Map<string, Set<number>>, file: string, lines: number[]): void {
  const key = path.resolve(file);
  const known = sets.get(key);
  if (known) for (const line of lines) known.add(line);
  else sets.set(key, new Set(lines));
}
