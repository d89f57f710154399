import { setImmediate } from 'node:timers/promises';

/** Milliseconds that long work may take before health checks and other requests get their turn. */
const MOST_MS = 8;

let began = performance.now();

/** To be awaited within long work: lets the event loop turn where it has not for a while. */
export async function giveTurn(): Promise<void> {
  if (performance.now() - began < MOST_MS) return;
  await setImmediate();
  began = performance.now();
}
