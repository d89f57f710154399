import { listenForStop, EXIT_CODES, type StopRequest, type StopSignal } from '@lethe/run';
import type { CliContext } from './context.js';
import { shellWords } from './shell-words.js';

/** The signal that stopped some work, and how far it had come: `step 3 of 10`. */
export interface Stopped {
  by: StopSignal;
  after: string;
}

/** Does work that a signal may stop; then tells how to go on, and sets the exit code. */
export async function untilStopped(
  context: CliContext,
  work: (stop: StopRequest) => Promise<Stopped | undefined>,
): Promise<void> {
  const logger = context.logger();
  const stop = listenForStop((signal) =>
    logger.warn(`${signal}: finishing this step and saving; again to stop at once`),
  );
  try {
    const stopped = await work(stop);
    if (!stopped) return;
    const command = shellWords(process.argv.slice(2));
    logger.warn(`stopped after ${stopped.after}; run the same command to go on: npx lethe ${command}`);
    context.exitCode = EXIT_CODES[stopped.by];
  } finally {
    stop.dispose();
  }
}
