import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { setTimeout } from 'node:timers/promises';
import { type Ended, filesIn, startLethe, succeed, temporaryFolder } from '../e2e/lethe.js';
import { pretrainProject } from '../e2e/small-project.js';

// The short form of what is run by hand with LETHE_STRESS=200: so many pairs (every fifth three) of processes on one folder.
const COUNT = Number(process.env['LETHE_STRESS'] ?? 4);
const folder = temporaryFolder();

/** A command, and what it writes: the same whoever of several does it. */
interface Job {
  name: string;
  args: string[];
  out: string;
  result: string;
}

const set = (...changes: string[]): string[] => changes.flatMap((change) => ['--set', change]);
const unlearn = ['unlearn', '--recipe', 'unlearn.yaml', ...set('name=pair', 'steps=6', 'checkpoint.every=2')];
const JOBS: Job[] = [
  { name: 'unlearn', args: unlearn, out: 'runs/pair', result: 'model/model.safetensors' },
  {
    name: 'prepare',
    args: ['prepare', 'natural.jsonl', '--tokenizer', 'natural/tokenizer', '--out', 'pair'],
    out: 'pair',
    result: 'train/index.json',
  },
  { name: 'export', args: ['export', '--model', 'runs/base/model', '--out', 'pair'], out: 'pair', result: 'model.safetensors' },
  {
    name: 'sweep',
    args: ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', '--name', 'pair', '--vary', 'seed=1,2', ...set('steps=2')],
    out: 'runs/pair',
    result: 'seed-2/model/model.safetensors',
  },
]; // prettier-ignore

const resultOf = ({ out, result }: Job): Buffer => readFileSync(join(folder, out, result));
const remove = ({ out }: Job): void => rmSync(join(folder, out), { recursive: true, force: true });
const truths = new Map<string, Buffer>();

beforeAll(async () => {
  await pretrainProject(folder);
  for (const job of JOBS) {
    await succeed(folder, ...job.args);
    truths.set(job.name, resultOf(job));
    remove(job);
  }
}, 600_000);

/** What one of several ended with: it did the work, found it done, or was told who does it. */
function outcome({ code, stderr }: Ended): 'done' | 'told' {
  if (code === 0) return 'done';
  if (
    code !== 1 ||
    !/worked here since|exists; choose|absent or empty/.test(stderr) ||
    /\n\s+at |--verbose/.test(stderr)
  )
    throw new Error(`ended with ${code}\n${stderr}`);
  return 'told';
}

it(`${COUNT} pairs of processes on one folder: one works, the others are told, and the result is right`, async () => {
  const counts = { done: 0, told: 0 };
  for (let i = 0; i < COUNT; i++) {
    const job = JOBS[i % JOBS.length];
    const random = seededRandom(i, 'two processes');
    const running = Array.from({ length: i % 5 === 4 ? 3 : 2 }, async () => {
      await setTimeout(random.int(400));
      return startLethe(folder, ...job.args).ended;
    });
    const outcomes = (await Promise.all(running)).map(outcome);
    for (const one of outcomes) counts[one]++;
    expect(outcomes).toContain('done');
    expect(resultOf(job).equals(truths.get(job.name)!)).toBe(true);
    const left = [...filesIn(join(folder, job.out)), ...readdirSync(folder)];
    expect(left.filter((name) => /\.tmp-|\.lock$/.test(name))).toEqual([]);
    remove(job);
  }
  if (process.env['LETHE_STRESS']) process.stdout.write(`pairs: ${JSON.stringify(counts)}\n`);
  expect(existsSync(join(folder, 'runs/base/model'))).toBe(true);
}, 36_000_000);
