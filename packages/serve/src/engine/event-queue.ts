/** Values that one side pushes and the other awaits in order. */
export class EventQueue<T> implements AsyncIterable<T> {
  private readonly values: T[] = [];
  private failure: Error | undefined;
  private isEnded = false;
  private wake = (): void => {};

  /** Adds a value. */
  push(value: T): void {
    this.values.push(value);
    this.wake();
  }

  /** No more values will come. */
  end(): void {
    this.isEnded = true;
    this.wake();
  }

  /** The reader gets the values pushed so far, then this error. */
  fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const value = this.values.shift();
      if (value !== undefined) yield value;
      else if (this.failure) throw this.failure;
      else if (this.isEnded) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
