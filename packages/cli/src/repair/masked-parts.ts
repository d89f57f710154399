import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { maskShards } from '@lethe/data-pipeline';
import { writeFolderAtomically } from '@lethe/run';
import type { KindShards } from './repair-data.js';

/** Of a kind's shards: what is learned from, and what settings are chosen by. */
export type ChosenParts = Pick<KindShards, 'train' | 'select'>;

/**
 * Copies of shards whose targets are the marked tokens only, in `folder`; what is there whole is used.
 * @throws ShardError as `ShardReader`.
 */
export async function maskedParts(
  parts: ChosenParts,
  folder: string,
  mark: (ids: ArrayLike<number>) => Uint8Array,
): Promise<ChosenParts> {
  const names = ['train', 'select'] as const;
  if (!existsSync(folder))
    await writeFolderAtomically(folder, async (temporary) => {
      for (const name of names) await maskShards(parts[name], join(temporary, name), ({ ids }) => mark(ids));
    });
  return { train: join(folder, 'train'), select: join(folder, 'select') };
}
