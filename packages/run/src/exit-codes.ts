/** The exit statuses of every command; docs/exit-codes.md tells what each command means by them. */
export const EXIT_CODES = {
  /** Done as asked. */
  done: 0,
  /** Refused or failed, told on standard error: an input, a recipe, the machine; or what was checked does not hold. */
  failed: 1,
  /** The command line itself is wrong: nothing was read but its words. */
  usage: 2,
  /** Came to its end, and what it made is no result: a run past a limit of its recipe, a model that is not repaired. */
  noResult: 3,
  /** Came to its end, and the answer cannot be told. */
  cannotTell: 4,
  /** Stopped by a signal (128 + its number), with work saved: a shell's `&&` stops. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;
