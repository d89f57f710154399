import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { controlGroup } from './control-group.js';
import { commandLine, FILTER_DESCRIPTOR, type Isolation, type ProgramLimits } from './isolation.js';
import { PROGRAM_DESCRIPTOR, REPORT_DESCRIPTOR } from './python-runner.js';
import { isForged, isReady, part, type Program, type ProgramResult, verdictOf } from './report.js';
import { programFilter } from './seccomp-filter.js';

/** Characters of output that are kept; the rest is read and dropped. */
const OUTPUT_KEPT = 4096;

function keepStart(stream: Readable, most: number, onText: (kept: string) => void = () => {}): () => string {
  let kept = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    if (kept.length < most) kept = (kept + text).slice(0, most);
    onText(kept);
  });
  stream.on('error', () => {}); // a program that is killed closes its end; what it wrote before is kept
  return () => kept;
}

/** Ends the whole group of a program. It may be gone already. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Runs a Python program in a fresh interpreter, with an empty environment and standard input. */
export function runProgram(
  program: string | Program,
  { isolation, ...limits }: ProgramLimits & { isolation: Isolation },
): Promise<ProgramResult> {
  const { code, tests } = typeof program === 'string' ? { code: program, tests: '' } : program;
  const words = { ready: randomBytes(16).toString('hex'), pass: randomBytes(16).toString('hex') };
  const filter = isolation === 'bubblewrap' ? programFilter() : undefined;
  const group = isolation === 'bubblewrap' ? controlGroup(limits) : undefined;
  const [command, ...args] = commandLine(isolation, limits, { hasFilter: filter !== undefined, group: group?.join });
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: {},
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', filter ? 'pipe' : 'ignore', 'pipe'],
      detached: true, // a group of its own, so that all of it can be ended
    });
    const at = (descriptor: number): Duplex => child.stdio[descriptor] as Duplex;
    for (const stream of [at(FILTER_DESCRIPTOR), at(PROGRAM_DESCRIPTOR)]) stream?.on('error', () => {});
    if (filter) at(FILTER_DESCRIPTOR).end(filter);
    at(PROGRAM_DESCRIPTOR).write(Buffer.concat([Buffer.from(`${words.ready}\n`), part(code)]));
    let isTold = false;
    const output = [child.stdout!, child.stderr!].map((stream) => keepStart(stream, OUTPUT_KEPT));
    const report = keepStart(at(REPORT_DESCRIPTOR), OUTPUT_KEPT, (kept) => {
      if (isForged(kept, words)) kill(child);
      if (isTold || !isReady(kept, words)) return;
      isTold = true;
      at(PROGRAM_DESCRIPTOR).end(Buffer.concat([part(tests), Buffer.from(`${words.pass}\n`)]));
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill(child);
    }, limits.seconds * 1000);
    const finish = (how: string): void => {
      clearTimeout(timer);
      group?.remove();
      const texts = output.map((text) => text()).join('');
      const result = verdictOf(report(), words, { isLate, how });
      const said = texts.trim() || `ended with ${how} before the program`;
      resolve({ ...result, detail: result.verdict === 'sandbox-error' ? said : result.detail, output: texts });
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (status, signal) => finish(signal ?? `status ${status}`));
  });
}
