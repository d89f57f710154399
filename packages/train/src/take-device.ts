import { cpus } from 'node:os';
import type { Logger } from '@lethe/run';
import {
  type Collectives,
  type DeviceName,
  numThreads,
  resetPeakMemory,
  setNumThreads,
  useDevice,
} from '@lethe/tensor';
import type { Fact } from './ranks/same-job.js';
import type { TrainRecipe } from './recipe.js';

/** Makes the recipe's device current, with its number of threads. */
export async function takeDevice(
  { threads, device: wanted, precision }: TrainRecipe,
  ranks: Collectives,
  logger: Logger,
): Promise<DeviceName> {
  const count = threads ?? threadsOfRank(ranks);
  if (count) setNumThreads(count);
  const { device, reason } = await useDevice(wanted, precision);
  if (reason) logger.warn(`${wanted} takes ${device}: ${reason}`);
  resetPeakMemory(); // An earlier run of this process had its own.
  return device;
}

/** The device that every rank must have. */
export const factsOfDevice = (device: DeviceName): Fact[] => [
  { name: 'device', value: device, remedy: 'give `device` the name of one that every machine has' },
];

/** A rank's part of its machine's cores, where the launcher has not bound it to some; undefined where it has. */
function threadsOfRank({ size, rank, places }: Collectives): number | undefined {
  const cores = cpus().length;
  if (size === 1 || numThreads() < cores) return undefined;
  const here = places.filter(({ host }) => host === places[rank].host).length;
  return Math.max(1, Math.floor(cores / here));
}
