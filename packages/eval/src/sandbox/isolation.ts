import { existsSync } from 'node:fs';
import { PYTHON_RUNNER } from './python-runner.js';

/** How programs are kept from the machine: `bubblewrap`, or `none` where the user allowed it. */
export type Isolation = 'bubblewrap' | 'none';

/** Limits of one program. */
export interface ProgramLimits {
  /** Wall time. */
  seconds: number;
  /** Address space. Default 1 GiB. */
  memoryBytes?: number;
}

const MIB = 2 ** 20;
/** Descriptor that bubblewrap reads the filter of system calls from. */
export const FILTER_DESCRIPTOR = 4;
/** The system's interpreter: one in a home folder is not seen inside. */
export const PYTHON = '/usr/bin/python3';

/** Command lines of Debian's programs, where they are installed. */
export const SANDBOX_PROGRAMS = { bwrap: '/usr/bin/bwrap', prlimit: '/usr/bin/prlimit', python3: PYTHON } as const;

/** Paths of programs that are missing. */
export const missingPrograms = (programs: Record<string, string> = SANDBOX_PROGRAMS): string[] =>
  Object.values(programs).filter((path) => !existsSync(path));

/** The interpreter under its limits: isolated from the environment and from installed packages. */
function limited({ seconds, memoryBytes = 1024 * MIB }: ProgramLimits): string[] {
  const limits = [`--as=${memoryBytes}`, `--cpu=${Math.ceil(seconds) + 1}`, `--fsize=${16 * MIB}`];
  return [
    SANDBOX_PROGRAMS.prlimit,
    ...limits,
    '--core=0',
    '--nofile=64',
    '--stack=67108864',
    '--',
    PYTHON,
    '-I',
    '-S',
    '-B',
    '-c',
    PYTHON_RUNNER,
  ];
}

/** bubblewrap: own processes, network, users and files; /usr to read, 16 MiB to write in /tmp and nowhere else. */
function wrapped(command: string[], hasFilter: boolean): string[] {
  const links = ['lib', 'lib64', 'bin'].flatMap((name) =>
    existsSync(`/usr/${name}`) ? ['--symlink', `usr/${name}`, `/${name}`] : [],
  );
  return [
    SANDBOX_PROGRAMS.bwrap,
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--clearenv',
    '--setenv', // one heap for all threads: each would reserve 64 MiB of the address space
    'MALLOC_ARENA_MAX',
    '1',
    '--ro-bind',
    '/usr',
    '/usr',
    ...links,
    '--proc',
    '/proc',
    '--remount-ro', // settings of the kernel (core_pattern) are root's to write, also in these namespaces, and of the whole machine
    '/proc',
    '--dev',
    '/dev',
    '--remount-ro',
    '/dev',
    '--size',
    String(16 * MIB),
    '--tmpfs',
    '/tmp',
    '--remount-ro', // the root itself is a file system in memory, without a limit
    '/',
    '--chdir',
    '/tmp',
    ...(hasFilter ? ['--seccomp', String(FILTER_DESCRIPTOR)] : []),
    '--',
    ...command,
  ];
}

/** What joins the groups before anything else is started. */
function joining(groups: readonly string[], command: string[]): string[] {
  const script = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 1; shift; n=$((n - 1)); done; exec "$@"';
  return ['/bin/sh', '-c', script, 'sh', String(groups.length), ...groups, ...command];
}

/** The command line of a program under an isolation; `group`: control groups that it joins. */
export function commandLine(
  isolation: Isolation,
  limits: ProgramLimits,
  { hasFilter, group }: { hasFilter: boolean; group?: readonly string[] | undefined },
): string[] {
  if (isolation === 'none') return limited(limits);
  const command = wrapped(limited(limits), hasFilter);
  return group ? joining(group, command) : command;
}
