import { EXIT_CODES } from './exit-codes.js';

/**
 * A mistake the user can mend (a wrong file, key or value). Programs print its message alone and exit with
 * {@link UserError.exitCode}; a stack is shown only with `--verbose`. Any other error is a defect of Lethe.
 */
export class UserError extends Error {
  /** Exit status of a program that ends with this error. */
  readonly exitCode: number = EXIT_CODES.failed;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A mistake in the command line itself: flags that are missing, contradict each other, or have a value they never take. */
export class UsageError extends UserError {
  override readonly exitCode: number = EXIT_CODES.usage;
}
