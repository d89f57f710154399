/** Where time comes from. Programs pass {@link systemClock}; tests pass a {@link manualClock}. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970; it may jump. */
  now(): number;
  /** Milliseconds since an arbitrary start; it never goes back. Durations come from here. */
  elapsed(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};

/** A clock that moves only when told to. */
export interface ManualClock extends Clock {
  /** Moves both times forward by `milliseconds`. */
  advance(milliseconds: number): void;
}

/** Makes a {@link ManualClock} that starts at `startMilliseconds` since 1970. */
export function manualClock(startMilliseconds = 0): ManualClock {
  let passed = 0;
  return {
    now: () => startMilliseconds + passed,
    elapsed: () => passed,
    advance: (milliseconds) => {
      passed += milliseconds;
    },
  };
}
