const FIRST_SECONDS = 1;
const MOST_SECONDS = 60;
/** A server may ask for more patience than we would have by ourselves, up to this. */
const MOST_ASKED_SECONDS = 600;

/** Seconds that a `Retry-After` header asks for, as a number or a date; undefined where it says nothing usable. */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const wanted = Number.isNaN(seconds) ? (Date.parse(header) - now) / 1000 : seconds;
  return Number.isNaN(wanted) ? undefined : Math.min(MOST_ASKED_SECONDS, Math.max(0, wanted));
}

/**
 * Seconds before the next attempt: what the server asks for, or 1, 2, 4 .. 60 with a random half, so that requests that
 * failed together do not come back together.
 * @param attempt that failed, from 1. @param random uniform in [0, 1).
 */
export function retryDelay(attempt: number, asked: number | undefined, random: () => number): number {
  if (asked !== undefined) return asked;
  const most = Math.min(MOST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1));
  return most * (0.5 + 0.5 * random());
}
