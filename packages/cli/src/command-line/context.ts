import type { Logger } from '@lethe/run';

/** What every command gets: the logger, and how to set the exit code of a run that was stopped. */
export interface CliContext {
  logger(): Logger;
  exitCode: number;
}
