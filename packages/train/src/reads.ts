import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardIndex } from '@lethe/data-pipeline';
import type { TrainRecipe } from './recipe.js';

/** How often a run reads one folder of shards. */
export interface Reads {
  role: 'replay' | 'forget';
  shards: string;
  /** Whether the mitigation term holds its rows, where there is one. */
  isHeld: boolean;
  tokens: number;
  /** Tokens of its rows as a multiple of those; padding counts, so that it is a little too many. */
  times: number;
}

/** How often a run reads each folder of its data; of one that is not there, nothing. */
export function readsOf({ batch, data, steps }: TrainRecipe): Reads[] {
  const rows = { replay: batch.replayRows, forget: batch.forgetRows };
  return (['replay', 'forget'] as const).flatMap((role) => {
    const total = data[role].reduce((sum, { proportion }) => sum + proportion, 0);
    const read = steps * batch.accumulate * rows[role] * data.rowLength;
    const free = new Set(data.replay.flatMap(({ shards, held }) => (held === false ? [shards] : [])));
    return data[role].flatMap(({ shards, proportion }): Reads[] => {
      const index = join(shards, 'index.json');
      if (!existsSync(index)) return [];
      const { tokens } = JSON.parse(readFileSync(index, 'utf8')) as Pick<ShardIndex, 'tokens'>;
      const isHeld = role === 'replay' && !free.has(shards);
      return [{ role, shards, isHeld, tokens, times: (read * proportion) / total / tokens }];
    });
  });
}
