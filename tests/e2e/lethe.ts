import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '@lethe/cli';
import { EXIT_CODES } from '@lethe/run';

/** The command. */
export const PROGRAM = join(__dirname, '..', '..', 'packages', 'cli', 'bin', 'lethe.mjs');

/** How a `lethe` process ended. */
export interface Ended {
  /** Exit status; null when a signal killed it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A `lethe` process that runs. */
export interface Running {
  process: ChildProcess;
  ended: Promise<Ended>;
}

/** Starts a command and keeps what it prints. */
export function startProcess(command: string, args: string[], more: { cwd: string; env?: NodeJS.ProcessEnv }): Running {
  const child = spawn(command, args, { ...more, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return { process: child, ended };
}

/** Starts `lethe` in a folder. */
export const startLethe = (folder: string, ...args: string[]): Running =>
  startProcess(process.execPath, [PROGRAM, ...args], { cwd: folder });

/** Whether commands run in this process, so that scripts/branches sees the branches they take. */
const IS_HERE = process.env['LETHE_E2E_HERE'] !== undefined;

/** Runs `lethe` in a folder to its end. */
export const lethe = (folder: string, ...args: string[]): Promise<Ended> =>
  IS_HERE ? letheHere(folder, ...args) : startLethe(folder, ...args).ended;

/** Runs `lethe` and expects success. @throws Error with its output otherwise. */
export async function succeed(folder: string, ...args: string[]): Promise<Ended> {
  const ended = await lethe(folder, ...args);
  if (ended.code !== 0) throw new Error(`lethe ${args.join(' ')} ended with ${ended.code}\n${ended.stderr}`);
  return ended;
}

/**
 * Runs the command line inside this process: the same `main`, without the second it takes to start. The working folder
 * and the process's arguments are changed meanwhile.
 */
export async function letheHere(folder: string, ...args: string[]): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += String(text);
      return true;
    }),
  );
  const [before, argv] = [process.cwd(), process.argv];
  process.chdir(folder);
  process.argv = [process.execPath, PROGRAM, ...args]; // what manifests record
  try {
    return { code: await main(args), ...output };
  } finally {
    process.chdir(before);
    process.argv = argv;
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs `lethe` and expects exit 1 with a plain message: no stack, no hint that it is a defect. Returns the message. */
export async function failure(folder: string, ...args: string[]): Promise<string> {
  return refusal(await lethe(folder, ...args), args, EXIT_CODES.failed);
}

/** The same inside this process, for long tables of refused input. */
export async function failureHere(folder: string, ...args: string[]): Promise<string> {
  return refusal(await letheHere(folder, ...args), args, EXIT_CODES.failed);
}

/** The same of a command line that is wrong itself: exit 2. */
export async function misuseHere(folder: string, ...args: string[]): Promise<string> {
  return refusal(await letheHere(folder, ...args), args, EXIT_CODES.usage);
}

function refusal({ code, stdout, stderr }: Ended, args: string[], expected: number): string {
  if (code !== expected)
    throw new Error(`lethe ${args.join(' ')}: expected exit ${expected}, received ${code}\n${stdout}${stderr}`);
  if (/\n\s+at .+:\d+|--verbose/.test(stderr)) throw new Error(`expected a plain message, received\n${stderr}`);
  return stderr;
}

/** A folder that is removed when the tests of a file are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-e2e-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file under a folder, relative to it. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

/** The objects of a JSONL file. */
export function jsonl<T>(...path: string[]): T[] {
  const lines = readFileSync(join(...path), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}
