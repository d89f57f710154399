import { cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { type Logger, UserError } from '@lethe/run';
import {
  type Collectives,
  type DeviceName,
  gpuOfRank,
  numThreads,
  resetPeakMemory,
  setNumThreads,
  useDevice,
} from '@lethe/tensor';
import { requireSame } from './ranks/same-job.js';
import { together } from './ranks/together.js';
import type { TrainRecipe } from './recipe.js';

/** Makes the recipe's device current, with its number of threads. */
export async function takeDevice(
  { threads, device: wanted, precision }: TrainRecipe,
  ranks: Collectives,
  logger: Logger,
): Promise<DeviceName> {
  takePartOfMachine(ranks);
  if (threads) setNumThreads(threads);
  const { device, reason } = await useDevice(wanted, precision);
  if (reason) logger.warn(`${wanted} takes ${device}: ${reason}`);
  resetPeakMemory(); // An earlier run of this process had its own.
  return device;
}

/** Takes this rank's part of its machine: cores and a GPU, where nobody has chosen them. */
export function takePartOfMachine(ranks: Collectives): void {
  const count = threadsOfRank(ranks);
  if (count) setNumThreads(count);
  const gpu = gpuOfRank(ranks);
  if (gpu !== undefined) process.env['LETHE_CUDA_DEVICE'] = String(gpu);
}

/** Holds the devices of all ranks against each other; those on GPUs must reach one another. @throws UserError. */
export async function requireSameDevice(device: DeviceName, ranks: Collectives): Promise<void> {
  if (ranks.size === 1) return;
  const remedy = 'give `device` the name of one that every machine has';
  await requireSame([{ name: 'device', value: device, remedy }], ranks);
  if (device === 'lethe-cuda') await together(ranks, () => tryGpus(ranks));
}

/** One sum over the GPUs of all ranks, so that what cannot be is said before anything is loaded. @throws UserError. */
async function tryGpus(ranks: Collectives): Promise<void> {
  const one = tf.ones([1]);
  try {
    await ranks.allReduce(one);
  } catch (cause) {
    throw new UserError(`ranks on GPUs: ${(cause as Error).message}`, { cause });
  } finally {
    one.dispose();
  }
}

/** A rank's part of its machine's cores, where the launcher has not bound it to some; undefined where it has. */
function threadsOfRank({ size, rank, places }: Collectives): number | undefined {
  const cores = cpus().length;
  if (size === 1 || numThreads() < cores) return undefined;
  const here = places.filter(({ host }) => host === places[rank].host).length;
  return Math.max(1, Math.floor(cores / here));
}
