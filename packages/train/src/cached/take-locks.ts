import { setTimeout as pause } from 'node:timers/promises';
import { LockedError, type Logger, type StopRequest, type StopSignal, UserError, whileLocked } from '@lethe/run';

/** A signal ended work that a later start does again or goes on with. */
export class Interrupted extends Error {
  constructor(readonly by: StopSignal) {
    super(`stopped by ${by}`);
  }
}

/** Milliseconds between two looks at a lock that another process holds. */
const PATIENCE_MS = 1000;

/** Whom waiting is told, who ends it, and whether it is refused: ranks must not wait for one that waits. */
interface Waiting {
  logger: Logger;
  stop?: StopRequest;
  isRefused?: boolean;
}

/**
 * Does work while this process holds all of some locks. Waits while another holds one: it computes what is wanted here.
 * @throws Interrupted where a signal ends the wait; LockedError where waiting is refused; UserError where a folder cannot be written to.
 */
export function whileHolding<T>(files: readonly string[], work: () => Promise<T>, telling: Waiting): Promise<T> {
  // All take them in one order, so that no two wait for each other.
  const [file, ...others] = [...files].sort();
  if (file === undefined) return work();
  return whenFree(file, () => whileHolding(others, work, telling), telling);
}

async function whenFree<T>(file: string, work: () => Promise<T>, { logger, stop, isRefused }: Waiting): Promise<T> {
  let isMine = false;
  const mine = (): Promise<T> => {
    isMine = true;
    return work();
  };
  for (let isTold = false; ; isTold = true) {
    try {
      return await whileLocked(file, mine);
    } catch (error) {
      if (isMine) throw error;
      if (isRefused && error instanceof LockedError) throw error;
      if (!(error instanceof LockedError)) throw explained(error as NodeJS.ErrnoException);
      if (stop?.requested) throw new Interrupted(stop.requested);
      if (!isTold) logger.info(`${error.message.split(';')[0]}; waiting for what it computes`);
      await pause(PATIENCE_MS);
    }
  }
}

function explained(error: NodeJS.ErrnoException): Error {
  if (!['EACCES', 'EROFS', 'EPERM'].includes(error.code ?? '')) return error;
  return new UserError(
    `${error.path}: cannot be written to (${error.message}), where model.original: cached keeps what it computes; ` +
      'copy the shards to a folder of your own, or set model.original: live',
    { cause: error },
  );
}
