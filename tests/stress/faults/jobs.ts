import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMetrics } from '@lethe/run';
import { filesIn } from '../../e2e/lethe.js';

/** A command, what it writes, and whether it can go on where it was broken off. */
export interface Job {
  name: string;
  args: string[];
  /** Files or folders. */
  out: string[];
}

const set = (...changes: string[]): string[] => changes.flatMap((change) => ['--set', change]);
const unlearn = (name: string, ...more: string[]): Job => ({
  name,
  args: ['unlearn', '--recipe', 'unlearn.yaml', ...set(`name=${name}`, 'steps=6', 'checkpoint.every=2', ...more)],
  out: [`runs/${name}`],
});
const prepare = (name: string, ...how: string[]): Job => ({
  name,
  args: ['prepare', 'mixed.jsonl', ...how, '--held-out', '0.1', '--out', name],
  out: [name],
});

/** In a project of tests/e2e/small-project.ts with {@link writeJobs}. */
export const JOBS: Job[] = [
  unlearn('fp32'),
  unlearn('bf16', 'precision=bf16'),
  {
    name: 'sweep',
    args: ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', '--name', 'sweep', '--vary', 'seed=1,2', ...set('steps=2')],
    out: ['runs/sweep'],
  },
  prepare('prepare', '--tokenizer', 'natural/tokenizer', '--filter', 'exactDuplicates', '--overlap', 'natural.jsonl'),
  prepare('with-tokenizer', '--train-tokenizer', '300'),
  { name: 'eval', args: ['eval', '--recipe', 'eval.json'], out: ['scores'] },
  { name: 'export', args: ['export', '--model', 'runs/base/model', '--out', 'exported', '--dtype', 'bfloat16'], out: ['exported'] },
  { name: 'report', args: ['report', 'runs/base', '--out', 'pages/base.html'], out: ['pages'] },
  {
    name: 'init',
    args: 'init made/repair.yaml --model runs/base/model --synthetic synthetic.jsonl --natural natural.jsonl'.split(' '),
    out: ['made'],
  },
  {
    name: 'diagnose',
    args: 'diagnose --base runs/base/model --model runs/base/model --data natural/heldout --out diagnosis'.split(' '),
    out: ['diagnosis'],
  },
  {
    name: 'repair',
    args: 'repair --model runs/base/model --synthetic synthetic.jsonl --natural natural.jsonl --tokens 6000 --out runs/repair'.split(' '),
    out: ['runs/repair'],
  },
]; // prettier-ignore

/** Writes what the jobs read beside the project's own files: rows with a wrong one and a doubled one, and benchmarks. */
export function writeJobs(folder: string): void {
  const rows = readFileSync(join(folder, 'natural.jsonl'), 'utf8').trim().split('\n');
  writeFileSync(join(folder, 'mixed.jsonl'), `${[...rows, 'not JSON', rows[0]].join('\n')}\n`);
  const rules = ['one', 'two', 'three', 'four'].map((word) => ({
    prompt: `Say in capital letters what the ${word} winter of the river and the old stone house was like, at length`,
    constraints: [{ kind: 'case', is: 'upper' }],
  }));
  writeFileSync(join(folder, 'rules.jsonl'), rules.map((rule) => `${JSON.stringify(rule)}\n`).join(''));
  const tasks = [
    { kind: 'instructions', name: 'rules', data: 'rules.jsonl', maxNewTokens: 4 },
    { kind: 'perplexity', name: 'text', shards: 'natural/heldout', maxLength: 64 },
  ];
  writeFileSync(
    join(folder, 'eval.json'),
    JSON.stringify({ model: 'runs/base/model', out: 'scores/results.json', tasks }),
  );
}

/** Files whose bytes tell times, processes and machines; that they are there is compared, their content is not. */
const VOLATILE =
  /(^|\/)(manifest|prepare|repair|results|sweep|request|prepare|diagnose|figures)\.json$|\.(html|md|csv)$/;

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Everything that a job wrote, by path: a hash, or what does not depend on time. */
export function resultOf(folder: string, { out }: Job): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const place of out)
    for (const name of filesIn(join(folder, place))) {
      const file = join(folder, place, name);
      if (name.includes('tfevents')) continue; // a file for each launch
      if (name.endsWith('metrics.jsonl')) result[name] = records(file);
      else result[name] = VOLATILE.test(name) ? 'there' : digest(file);
    }
  return result;
}

/** Metrics without what depends on time. */
const records = (file: string): unknown[] =>
  readMetrics(file).map(({ seconds: _seconds, tokensPerSecond: _speed, memoryBytes: _memory, ...rest }) => rest);

/** Removes what a job wrote, and plans of packing, so that each time it makes the same changes. */
export function removeResult(folder: string, { out }: Job): void {
  for (const name of filesIn(folder)) if (/(^|\/)\.packing-/.test(name)) rmSync(join(folder, name));
  for (const place of out) rmSync(join(folder, place), { recursive: true, force: true });
}

/** What broken-off work leaves: temporary files and locks. */
export const litterIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    /\.tmp-|\.lock$|\.partial$|\.incomplete$/.test(name),
  );
