import { EXIT_CODES } from './exit-codes.js';

/** Signals that ask a run to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Polled by a loop between steps. */
export interface StopRequest {
  /** The first signal that came, or undefined. */
  readonly requested: StopSignal | undefined;
  /** Stops listening; later signals act as if nothing had been installed. */
  dispose(): void;
}

/** The part of `process` that signals need; a test passes an EventEmitter with `exit`. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Listens for SIGINT and SIGTERM. The first is recorded for the loop, which finishes its step, saves and exits with
 * {@link EXIT_CODES}; a second ends the process at once with its code. `onFirst` may tell the user so.
 */
export function listenForStop(
  onFirst: (signal: StopSignal) => void = () => {},
  source: SignalSource = process,
): StopRequest {
  let requested: StopSignal | undefined;
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = () => {
      if (requested !== undefined) return source.exit(EXIT_CODES[signal]);
      requested = signal;
      onFirst(signal);
    };
    source.on(signal, listener);
    return { signal, listener };
  });
  return {
    get requested() {
      return requested;
    },
    dispose: () => {
      for (const { signal, listener } of listeners) source.off(signal, listener);
    },
  };
}
