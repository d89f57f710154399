import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { commandLine, FILTER_DESCRIPTOR, type Isolation, type ProgramLimits } from './isolation.js';
import { REPORT_DESCRIPTOR } from './python-runner.js';
import { threadsOnlyFilter } from './seccomp-filter.js';

/** How a program ended. */
export const VERDICTS = ['pass', 'fail', 'timeout', 'out-of-memory', 'sandbox-error'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a program did. */
export interface ProgramResult {
  verdict: Verdict;
  /** The exception, or what the sandbox said. */
  detail: string;
  /** The beginning of what it wrote to standard output and error. */
  output: string;
}

/** Characters of output that are kept; the rest is read and dropped. */
const OUTPUT_KEPT = 4096;

function keepStart(stream: Readable, most: number): () => string {
  let kept = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    if (kept.length < most) kept = (kept + text).slice(0, most);
  });
  stream.on('error', () => {}); // a program that is killed closes its end; what it wrote before is kept
  return () => kept;
}

function verdictOf(report: string, output: string, end: { isLate: boolean; how: string }): ProgramResult {
  const lines = report.split('\n').filter((line) => line !== '');
  const [word, ...words] = (lines.at(-1) ?? '').split(' ');
  const detail = words.join(' ').trim();
  if (word === 'pass' || word === 'fail' || word === 'out-of-memory') return { verdict: word, detail, output };
  if (end.isLate) return { verdict: 'timeout', detail: '', output };
  if (word === 'started') return { verdict: 'fail', detail: `the interpreter ended with ${end.how}`, output };
  return { verdict: 'sandbox-error', detail: output.trim() || `ended with ${end.how} before the program`, output };
}

/** Runs a Python program in a fresh interpreter, with an empty environment and standard input. */
export function runProgram(
  program: string,
  { isolation, ...limits }: ProgramLimits & { isolation: Isolation },
): Promise<ProgramResult> {
  const filter = isolation === 'bubblewrap' ? threadsOnlyFilter() : undefined;
  const [command, ...args] = commandLine(isolation, limits, filter !== undefined);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: {},
      cwd: tmpdir(),
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', filter ? 'pipe' : 'ignore'],
      detached: true, // a group of its own, so that all of it can be ended
    });
    const output = [child.stdout!, child.stderr!].map((stream) => keepStart(stream, OUTPUT_KEPT));
    const report = keepStart(child.stdio[REPORT_DESCRIPTOR] as Readable, OUTPUT_KEPT);
    for (const stream of [child.stdin!, child.stdio[FILTER_DESCRIPTOR] as Duplex | null]) stream?.on('error', () => {});
    if (filter) (child.stdio[FILTER_DESCRIPTOR] as Duplex).end(filter);
    child.stdin!.end(program);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    }, limits.seconds * 1000);
    const finish = (how: string): void => {
      clearTimeout(timer);
      const texts = output.map((text) => text()).join('');
      resolve(verdictOf(report(), texts, { isLate, how }));
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (code, signal) => finish(signal ?? `status ${code}`));
  });
}
