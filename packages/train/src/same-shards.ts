import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

/** Tells shards apart by their data, wherever they lie: the hash of their index, which holds the checksums of all of it. */
export function digestOf(shards: string): string {
  const index = join(shards, 'index.json');
  if (!existsSync(index)) return resolve(shards);
  return createHash('sha256').update(readFileSync(index)).digest('hex');
}

/** @throws UserError where the same shards are to be forgotten and replayed. */
export function requireApart({ data }: Pick<TrainRecipe, 'data'>): void {
  const replayed = new Map(data.replay.map(({ shards }) => [digestOf(shards), shards]));
  for (const { shards } of data.forget) {
    const same = replayed.get(digestOf(shards));
    if (same === undefined) continue;
    const what = same === shards ? shards : `${shards}, the same data as ${same},`;
    throw new UserError(
      `${what} is in data.forget and in data.replay: it would be unlearned and learned at once; remove it from one`,
    );
  }
}
