import { Buffer } from 'node:buffer';

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

/** A program in its two parts. */
export interface Program {
  /** What a model wrote, after what it was given to go on from. */
  code: string;
  /** Run after it with its names; raising nothing is passing. */
  tests: string;
}

/** How the process of a program ended. */
export interface ProgramEnd {
  isLate: boolean;
  how: string;
}

/** A part as the runner reads it: its length in bytes on a line, then the bytes. */
export function part(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
}

const FORGED: Pick<ProgramResult, 'verdict' | 'detail'> = {
  verdict: 'fail',
  detail: 'the report is not the runner’s: torn, doubled or forged',
};

/** What only the runner knows: that the model's code has ended, and that the tests have. */
export interface Words {
  ready: string;
  pass: string;
}

/** Whether the report says that the model's code has ended, and nothing else. */
export const isReady = (report: string, { ready }: Words): boolean => report === `started \n${ready} \n`;

/**
 * What the report says: `started`, the word for ready, then how the tests ended. Anything else in their place, or beside
 * them, was not written by the runner.
 */
export function verdictOf(report: string, words: Words, end: ProgramEnd): Pick<ProgramResult, 'verdict' | 'detail'> {
  if (report === '') return { verdict: 'sandbox-error', detail: '' };
  if (isForged(report, words) || !report.endsWith('\n')) return FORGED;
  const last = linesOf(report).at(-1)!;
  if (last === words.pass) return { verdict: 'pass', detail: '' };
  if (last === 'out-of-memory') return { verdict: 'out-of-memory', detail: '' };
  if (last !== 'started' && last !== words.ready) return { verdict: 'fail', detail: last.slice('fail '.length) };
  if (end.isLate) return { verdict: 'timeout', detail: '' };
  return { verdict: 'fail', detail: `the interpreter ended with ${end.how}` };
}

/** The lines that are there whole. */
const linesOf = (report: string): string[] =>
  report
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trimEnd());

const isFailure = (line: string): boolean => /^fail( |$)/.test(line) || line === 'out-of-memory';

/** Whether a line is there that the runner would not have written at its place. */
export function isForged(report: string, { ready, pass }: Words): boolean {
  const [started, first, second, ...more] = linesOf(report);
  if (more.length > 0 || (started !== undefined && started !== 'started')) return true;
  if (first === undefined || (isFailure(first) && second === undefined)) return false;
  return first !== ready || (second !== undefined && second !== pass && !isFailure(second));
}
