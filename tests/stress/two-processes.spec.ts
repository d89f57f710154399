import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { setTimeout } from 'node:timers/promises';
import { type Ended, filesIn, temporaryFolder } from '../e2e/lethe.js';
import { pretrainProject } from '../e2e/small-project.js';
import { Driver } from './faults/driver-process.js';

// The short form of what is run by hand with LETHE_STRESS=200: so many pairs (every fifth three) of processes on one folder.
// The processes stay from pair to pair: a start takes longer than most commands.
const COUNT = Number(process.env['LETHE_STRESS'] ?? 6);
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
const folder = temporaryFolder();

/** A command, and what it writes: the same whoever of several does it. */
interface Job {
  name: string;
  args: string[];
  out: string;
  /** A file that holds no times; a command that only reads has none. */
  result?: string;
}

const set = (...changes: string[]): string[] => changes.flatMap((change) => ['--set', change]);
const RUN = 'runs/pair';
const unlearn = (more: string[]): string[] => [
  'unlearn',
  '--recipe',
  'unlearn.yaml',
  ...set('name=pair', 'steps=6', ...more),
];
const texts = '--synthetic synthetic.jsonl --natural natural.jsonl'.split(' ');
const JOBS: Job[] = [
  { name: 'unlearn', args: unlearn(['checkpoint.every=2']), out: RUN, result: 'model/model.safetensors' },
  { name: 'unlearn, another recipe', args: unlearn(['seed=7', 'checkpoint.every=3']), out: RUN, result: 'model/model.safetensors' },
  {
    name: 'sweep',
    args: ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', '--name', 'pair', '--vary', 'seed=1,2', ...set('steps=2')],
    out: RUN,
    result: 'seed-2/model/model.safetensors',
  },
  { name: 'repair', args: ['repair', '--model', 'runs/base/model', ...texts, '--tokens', '3000', '--out', RUN], out: RUN },
  { name: 'report', args: ['report', RUN, '--out', 'page.html'], out: RUN },
  { name: 'reproduce', args: ['reproduce', RUN, '--name', 'again'], out: RUN },
  {
    name: 'prepare',
    args: ['prepare', 'natural.jsonl', '--tokenizer', 'natural/tokenizer', '--out', 'pair'],
    out: 'pair',
    result: 'train/index.json',
  },
  { name: 'prepare, other text', args: ['prepare', 'synthetic.jsonl', '--tokenizer', 'natural/tokenizer', '--out', 'pair'], out: 'pair', result: 'train/index.json' },
  { name: 'export', args: ['export', '--model', 'runs/base/model', '--out', 'pair'], out: 'pair', result: 'model.safetensors' },
  { name: 'export, halves', args: ['export', '--model', 'runs/base/model', '--out', 'pair', '--dtype', 'bfloat16'], out: 'pair', result: 'model.safetensors' },
  { name: 'inspect', args: ['inspect', 'pair/train'], out: 'pair' },
]; // prettier-ignore

const drivers: Driver[] = [];
const truths = new Map<string, Buffer>();

/** Removes what jobs wrote. */
function clear(): void {
  for (const name of [RUN, 'runs/again', 'pair', 'page.html'])
    rmSync(join(folder, name), { recursive: true, force: true });
}

beforeAll(async () => {
  await pretrainProject(folder);
  mkdirSync(join(folder, 'runs'), { recursive: true });
  for (let i = 0; i < 3; i++) drivers.push(new Driver(folder));
  for (const { name, args, out, result } of JOBS) {
    if (result === undefined) continue;
    const { code, stderr } = await drivers[0].run(args);
    if (![0, 3, 4].includes(code!)) throw new Error(`${name} ended with ${code}\n${stderr}`);
    truths.set(name, readFileSync(join(folder, out, result)));
    clear();
  }
}, 600_000);
afterAll(() => drivers.forEach((driver) => driver.end()));

/** A refusal of a command that writes: who works there, or what is there. */
const TOLD = /worked here since|exists; choose|absent or empty|holds|another/;

/** What one of several ended with: `done`, also where it found the work done; `told` who does it; or what is wrong. */
function outcome(job: Job, { code, stderr }: Ended): string {
  if (/\n\s+at |--verbose|uncaughtException|unhandledRejection/.test(stderr)) return `${job.name}: ${stderr}`;
  // A repair may end without a result, or without a verdict.
  if (code === 0 || (job.name === 'repair' && (code === 3 || code === 4))) return 'done';
  if (code !== 1 || (job.result !== undefined && !TOLD.test(stderr)))
    return `${job.name} ended with ${code}: ${stderr}`;
  return 'told';
}

/** Runs one pair, or three, of commands on a folder. @returns what came of each, and what is wrong. */
async function run(i: number): Promise<{ outcomes: string[]; wrong: string[] }> {
  const random = seededRandom(i, 'two processes');
  const first = JOBS[random.int(JOBS.length)];
  const beside = JOBS.filter(({ out }) => out === first.out);
  const pair = Array.from({ length: i % 5 === 4 ? 3 : 2 }, (_, n) =>
    n === 0 || random.int(3) === 0 ? first : beside[random.int(beside.length)],
  );
  const ended = await Promise.all(
    pair.map(async (job, n) => {
      await setTimeout(random.int(300));
      return drivers[n].run(job.args);
    }),
  );
  const outcomes = ended.map((end, n) => outcome(pair[n], end));
  const wrong = outcomes.filter((one) => one !== 'done' && one !== 'told');
  const writers = pair
    .map(({ result }, n) => ({ result, is: outcomes[n] }))
    .filter(({ result }) => result !== undefined);
  if (writers.length === pair.length && !outcomes.includes('done')) wrong.push('none has done its work');
  for (const [n, { name, out, result }] of pair.entries()) {
    if (result === undefined || outcomes[n] !== 'done') continue;
    const file = join(folder, out, result);
    if (!existsSync(file) || !readFileSync(file).equals(truths.get(name)!)) wrong.push(`${name}: another result`);
  }
  const written = [first.out, 'runs'].filter((name) => existsSync(join(folder, name)));
  const left = [...written.flatMap((name) => filesIn(join(folder, name))), ...readdirSync(folder)];
  wrong.push(...left.filter((name) => /\.tmp-|\.lock$/.test(name)).map((name) => `left ${name}`));
  clear();
  const names = pair.map(({ name }, n) => `${name} ${outcomes[n].slice(0, 4)}`).join(' | ');
  return { outcomes, wrong: wrong.length > 0 ? [`${i}: ${names}: ${wrong.join('; ')}`] : [] };
}

it(`${COUNT} pairs of processes on one folder: one works, the others are told, and the result is right`, async () => {
  const counts: Record<string, number> = { done: 0, told: 0 };
  const all: string[] = [];
  for (let i = FIRST; i < FIRST + COUNT; i++) {
    const { outcomes, wrong } = await run(i);
    for (const one of outcomes) if (one in counts) counts[one]++;
    all.push(...wrong);
    if (process.env['LETHE_STRESS'])
      process.stdout.write(
        `${wrong.map((one) => `wrong ${one}\n`).join('')}pairs: ${i + 1}, ${JSON.stringify(counts)}\n`,
      );
  }
  expect(all).toEqual([]);
  expect(counts['done']).toBeGreaterThan(0);
  expect(existsSync(join(folder, 'runs/base/model'))).toBe(true);
}, 36_000_000);
