import type { LlamaConfig } from '@lethe/model';
import { freeBytes } from '@lethe/run';
import { removeCached } from '@lethe/train';
import type { BatchAndSteps } from './plan.js';
import type { RepairShards } from './repair-recipe.js';

/** The part of the free disk that may be taken for a time. */
const USABLE = 0.5;

/** Bytes of the original's hidden states over all natural rows of a probe: most settings replay no others. */
function bytesOf({ hiddenSize }: LlamaConfig, plan: BatchAndSteps): number {
  const rows = plan.probeSteps * plan.accumulate * plan.replayRows + plan.validationRows.natural;
  return 4 * hiddenSize * plan.rowLength * rows;
}

/** Whether the original runs once over the rows that probes share, and what it makes of them is kept: where the disk has room. */
export const hasRoomForOriginal = (
  config: LlamaConfig,
  plan: BatchAndSteps,
  { out, free = freeBytes }: { out: string; free?: (folder: string) => number },
): boolean => bytesOf(config, plan) < USABLE * free(out);

/** Removes what was kept of the original. */
export function removeOriginalCache({ natural }: RepairShards): void {
  for (const shards of [natural.train, natural.select]) removeCached(shards);
}
