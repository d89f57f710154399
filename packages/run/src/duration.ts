/** Writes seconds as people read them: `0.4s`, `12s`, `3m05s`, `2h07m`, `3d04h`; `?` when unknown. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86400)}d${two((whole % 86400) / 3600)}h`;
}

/** Seconds left when `done` of `total` units took `elapsedSeconds`; NaN while nothing is done. */
export function remainingSeconds(done: number, total: number, elapsedSeconds: number): number {
  return done > 0 ? ((total - done) * elapsedSeconds) / done : NaN;
}
