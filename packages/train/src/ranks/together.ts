import { UserError } from '@lethe/run';
import type { Collectives } from '@lethe/tensor';

/** What another rank has failed with, and says itself. */
export class ToldError extends UserError {}

/** Errors that every rank knows of, so that all end by themselves. */
const known = new WeakSet<object>();

/** Whether all ranks fail here, and not this one alone. */
export const isTogether = (error: unknown): boolean => error instanceof ToldError || known.has(error as object);

function markKnown(error: Error): Error {
  known.add(error);
  return error;
}

/** An error that every rank throws at the same place, for reasons that all have: the first rank says it. */
export const sayOnce = (error: Error, { rank }: Collectives): Error =>
  rank === 0 ? markKnown(error) : new ToldError(error.message, { cause: error });

/**
 * Does work on every rank, and goes on only where all have done it.
 * @throws the work's error where it failed here; ToldError where it failed on another rank, or on a lower one for the same
 *   reason: of what all say, one says it.
 */
export async function together<T>(ranks: Collectives, work: () => T | Promise<T>): Promise<T> {
  if (ranks.size === 1) return work();
  let result: T | undefined;
  let error: Error | undefined;
  try {
    result = await work();
  } catch (thrown) {
    error = thrown as Error;
  }
  const [failures] = await ranks.sum([error ? 1 : 0]);
  if (failures === 0) return result as T;
  const texts = await ranks.gather(error ? error.message || error.name : '');
  const first = texts.findIndex((text) => text !== '');
  if (!error || (first !== ranks.rank && texts[first] === error.message)) {
    throw new ToldError(`rank ${first} on ${ranks.places[first].host}: ${texts[first]}`);
  }
  if (ranks.rank > 0) error.message = `${nameOf(ranks)}: ${error.message}`;
  throw markKnown(error);
}

/** The first rank does work, such as what fills a folder, before the others do it too and find it done. */
export async function firstAlone<T>(ranks: Collectives, work: () => Promise<T>): Promise<T> {
  if (ranks.size === 1) return work();
  const isFirst = ranks.rank === 0;
  const early = await together(ranks, () => (isFirst ? work() : undefined));
  const late = await together(ranks, () => (isFirst ? undefined : work()));
  return (isFirst ? early : late) as T;
}

/** This rank, for messages. */
export const nameOf = ({ rank, places }: Pick<Collectives, 'rank' | 'places'>): string =>
  `rank ${rank} on ${places[rank].host}`;
