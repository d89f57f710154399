import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isHubLocation, type RowSet } from '@lethe/data-pipeline';
import { findModelFiles } from '@lethe/model';
import { digestFile } from '@lethe/run';

/** What the hidden states of a set of rows depend on; a change of any is another folder. */
export interface CacheKey {
  version: 1;
  /** Digest of the model's files, or its pinned place on the hub. */
  model: string;
  /** Digest of shards and packing. */
  rows: string;
  type: 'float32' | 'bfloat16';
  /** Devices agree but for rounding. */
  device: string;
}

// Hidden, so that a folder of shards that is read as documents, or by a glob, has no others in it.
const PREFIX = '.original-';

/** The folder, beside the shards, that holds what a model makes of a set of rows. */
export function cacheFolder({ folder }: RowSet, key: CacheKey): string {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  return join(folder, PREFIX + digest.slice(0, 16));
}

/** Removes what any model made of the rows of a folder of shards: it can be computed again. */
export function removeCached(shards: string): void {
  const names = existsSync(shards) ? readdirSync(shards) : [];
  for (const name of names.filter((found) => found.startsWith(PREFIX))) rmSync(join(shards, name), { recursive: true });
}

/**
 * Tells a model by its files, wherever they lie.
 * @param location as the recipe has it.
 * @param known digests of files that were read before.
 */
export function digestModel(
  location: string,
  folder: string,
  known: (name: string) => string | undefined = () => undefined,
): string {
  if (isHubLocation(location)) return location;
  const files = findModelFiles(folder).map((file) => {
    const name = basename(file);
    return [name, known(name) ?? digestFile(file).sha256];
  });
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}
