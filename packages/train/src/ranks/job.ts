import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError, whileLocked } from '@lethe/run';
import { type Collectives, openCollectives } from '@lethe/tensor';
import { NonFiniteError } from '../non-finite.js';
import type { TrainRecipe } from '../recipe.js';
import { factsOfStart, requireSame, requireSameClock } from './same-job.js';
import { isTogether, nameOf, sayOnce, together, ToldError } from './together.js';

/** The ranks of this process's job. @throws UserError where the job cannot be joined. */
export function joinJob(): Collectives {
  try {
    return openCollectives();
  } catch (cause) {
    if (cause instanceof RangeError) throw new UserError(cause.message, { cause });
    throw cause;
  }
}

/**
 * Does work on every rank while the first holds the lock of a folder that all share.
 * @throws what the work throws; ToldError where another rank says it.
 */
export async function whileAllWork<T>(
  { ranks, recipe, lock }: { ranks: Collectives; recipe: TrainRecipe; lock: string },
  work: () => Promise<T>,
): Promise<T> {
  if (ranks.size === 1) return whileLocked(lock, work);
  try {
    ranks.at('the start');
    await requireSame(factsOfStart(recipe), ranks);
    await requireSameClock(ranks);
    return await (ranks.rank === 0 ? whileFirstLocks(ranks, lock, work) : whileOtherLocks(ranks, lock, work));
  } catch (error) {
    return await fail(error as Error, ranks);
  }
}

async function whileFirstLocks<T>(ranks: Collectives, lock: string, work: () => Promise<T>): Promise<T> {
  let isMine = false;
  try {
    return await whileLocked(lock, async () => {
      isMine = true;
      await together(ranks, () => {});
      await together(ranks, () => {});
      return work();
    });
  } catch (error) {
    if (!isMine) {
      await together(ranks, () => {
        throw error;
      });
    }
    throw error;
  }
}

async function whileOtherLocks<T>(ranks: Collectives, lock: string, work: () => Promise<T>): Promise<T> {
  await together(ranks, () => {});
  await together(ranks, () => {
    if (existsSync(lock)) return;
    throw new UserError(`expected ${lock}, which rank 0 has made: the run's folder must be one that all ranks share`);
  });
  return work();
}

/** Milliseconds in which the first rank ends a job that fails alike on all, so that it alone says so. */
const PATIENCE = 1000;

/** Throws an error such that it is said once, and that no rank waits for one that has failed. */
async function fail(error: Error, ranks: Collectives): Promise<never> {
  if (isTogether(error) || error instanceof NonFiniteError) {
    ranks.failedTogether();
    // What is not finite is so on every rank: the numbers are sums over all.
    throw error instanceof ToldError || isTogether(error) ? error : sayOnce(error, ranks);
  }
  if (ranks.rank > 0) {
    await pause(PATIENCE);
    error.message = `${nameOf(ranks)}: ${error.message}`;
  }
  throw error;
}
