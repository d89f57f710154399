import { readFileSync } from 'node:fs';

/** What the system says; empty where it has no way to say it, such as one without /proc. */
export const orEmpty = (tell: () => string): string => {
  try {
    return tell();
  } catch {
    return '';
  }
};

/** When a process started; empty where the system does not say, undefined where it does not run. */
export function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The command's name may hold anything; fields count from the last parenthesis: state is the 3rd, the start the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : (fields[19] ?? '');
}
