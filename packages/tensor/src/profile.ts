import type { OperatorName } from '@lethe/native';

/** Calls of an operator and the milliseconds spent in them. */
export interface OperatorTime {
  operator: OperatorName;
  calls: number;
  milliseconds: number;
}

let times: Map<OperatorName, OperatorTime> | undefined;

/** Starts counting the time of native operators anew. */
export function startProfile(): void {
  times = new Map();
}

/** Stops counting and tells what was counted, the longest first. */
export function stopProfile(): OperatorTime[] {
  const found = [...(times?.values() ?? [])].sort((a, b) => b.milliseconds - a.milliseconds);
  times = undefined;
  return found;
}

/** Runs one native call, counted where a profile is on. */
export function profiled(operator: OperatorName, call: () => void): void {
  if (!times) return call();
  const started = performance.now();
  call();
  const entry = times.get(operator) ?? { operator, calls: 0, milliseconds: 0 };
  entry.calls++;
  entry.milliseconds += performance.now() - started;
  times.set(operator, entry);
}
