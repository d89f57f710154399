/** `problem`: Lethe cannot do its work here. `warning`: it can, but for something that the remedy names. */
export type Status = 'ok' | 'warning' | 'problem';

/** What one check found. */
export interface Finding {
  check: string;
  status: Status;
  found: string;
  /** What to do, where it is not ok. */
  remedy?: string;
}

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found });
export const warning = (check: string, found: string, remedy: string): Finding => ({
  check,
  status: 'warning',
  found,
  remedy,
});
export const problem = (check: string, found: string, remedy: string): Finding => ({
  check,
  status: 'problem',
  found,
  remedy,
});

/** An error's message on one line. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ').trim();

const GIB = 2 ** 30;

/** Bytes as `1.5 GiB`. */
export const gibibytes = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

/** A number with its noun: `1 thread`, `2 threads`. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The findings in columns, each remedy below what was found, and a last line that counts them. */
export function formatFindings(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat('problem'.length + width + 4);
  const lines = findings.flatMap(({ check, status, found, remedy }) => [
    `${status.padEnd('problem'.length)}  ${check.padEnd(width)}  ${found}`,
    ...(remedy === undefined ? [] : [`${indent}-> ${remedy}`]),
  ]);
  const count = (status: Status): number => findings.filter((finding) => finding.status === status).length;
  return [...lines, '', `${counted(count('problem'), 'problem')}, ${counted(count('warning'), 'warning')}`].join('\n');
}
