/**
 * A mistake the user can mend (a wrong file, key or value). Programs print its message alone and exit with
 * {@link UserError.exitCode}; a stack is shown only with `--verbose`. Any other error is a defect of Lethe.
 */
export class UserError extends Error {
  /** Exit status of a program that ends with this error. */
  readonly exitCode: number = 1;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
