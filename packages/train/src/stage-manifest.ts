import { type Logger, openRunManifest, type OpenRunManifest, type RunData, type RunProcess } from '@lethe/run';
import { type Collectives, numThreads } from '@lethe/tensor';
import type { StageRun } from './stage-run.js';

/** What the manifest of a stage says beside its recipe. */
interface Launch {
  ranks: Collectives;
  logger: Logger;
  device: string;
  data: RunData[];
  command?: string[];
  versions?: Record<string, string>;
}

/** Opens the manifest of a run on the first rank, with a line for each; the others have none to finish. */
export async function openStageManifest(
  { recipe, folder }: StageRun,
  { ranks, logger, device, data, command, versions = {} }: Launch,
): Promise<Pick<OpenRunManifest, 'finish'>> {
  const processes = await processesOf(ranks, device);
  if (ranks.rank > 0) return { finish: () => {} };
  const { name, seed } = recipe;
  const all = ranks.size > 1 ? { ...versions, collectives: ranks.library } : versions;
  const onDamage = (warning: string): void => logger.warn(warning);
  const description = { name, recipe, seeds: { seed }, versions: all, data, command, onDamage };
  return openRunManifest(folder, { ...description, processes });
}

async function processesOf(ranks: Collectives, device: string): Promise<RunProcess[]> {
  const mine = JSON.stringify({ threads: numThreads(), device });
  return (await ranks.gather(mine)).map((text, rank) => ({
    rank,
    ...ranks.places[rank],
    ...(JSON.parse(text) as { threads: number; device: string }),
  }));
}
