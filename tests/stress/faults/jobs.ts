import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMetrics } from '@lethe/run';
import { FakeHub } from '../../../packages/data-pipeline/testing/fake-hub.js';
import { filesIn, lethe, succeed } from '../../e2e/lethe.js';

/** A command, what it writes, and whether it can go on where it was broken off. */
export interface Job {
  name: string;
  args: string[];
  /** Files or folders. */
  out: string[];
  /** Its exit status, 0 unless given. */
  code?: number;
  /** A folder to begin with, a copy of it in the place of the first of `out`. */
  from?: string;
  /** Part of the paths of the code that is looked at, where all other that it runs is what other jobs run. */
  ownCode?: string;
  /** It takes long: after a failure the next one is looked for further on, not from the beginning. */
  isLong?: true;
}

const set = (...changes: string[]): string[] => changes.flatMap((change) => ['--set', change]);
const train = (stage: string, recipe: string, name: string, ...more: string[]): Job => ({
  name,
  args: [stage, '--recipe', recipe, ...set(`name=${name}`, 'steps=6', 'checkpoint.every=2', ...more)],
  out: [`runs/${name}`],
});
const unlearn = (name: string, ...more: string[]): Job => train('unlearn', 'unlearn.yaml', name, ...more);
const goOn = (stage: string, shards: string): Job =>
  train(
    stage,
    'pretrain.yaml',
    stage,
    `stage=${stage}`,
    'model={init: runs/base/model}',
    `data.replay=[{shards: ${shards}}]`,
  );
const prepare = (name: string, ...how: string[]): Job => ({
  name,
  args: ['prepare', 'mixed.jsonl', ...how, '--held-out', '0.1', '--out', name],
  out: [name],
});

const REPAIR =
  'repair --model runs/base/model --synthetic synthetic.jsonl --natural natural.jsonl --instructions rules.jsonl --tokens 3000 --anyway --threads 1 --out'.split(
    ' ',
  );

/** The model of the hub that is downloaded. */
export const HUB_MODEL = 'owner/tiny';

/**
 * The commands that write, in a project of tests/e2e/small-project.ts with {@link writeJobs}; `demo` and `paper` as small as driver.mjs
 * makes them.
 */
export const JOBS: Job[] = [
  unlearn('fp32'),
  unlearn('bf16', 'precision=bf16'),
  unlearn('cached', 'model.original=cached'),
  unlearn('lora', 'model.lora={rank: 2}'),
  unlearn('validated', 'validation={every: 2, rows: 8, replay: [{shards: natural/heldout}], forget: [{shards: synthetic/heldout}]}', 'stop.forgetP=0.001'),
  train('pretrain', 'pretrain.yaml', 'pretrain'),
  goOn('refine', 'natural/train'),
  goOn('finetune', 'chat/train'),
  { name: 'reproduce', args: ['reproduce', 'runs/base', '--name', 'again'], out: ['runs/again'] },
  {
    name: 'sweep',
    args: ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', '--name', 'sweep', '--vary', 'seed=1,2', ...set('steps=2')],
    out: ['runs/sweep'],
  },
  prepare('prepare', '--tokenizer', 'natural/tokenizer', '--filter', 'exactDuplicates', '--overlap', 'natural.jsonl'),
  prepare('with-tokenizer', '--train-tokenizer', '300'),
  { name: 'as-chat', args: 'prepare synthetic.jsonl --as chat --tokenizer natural/tokenizer --out as-chat'.split(' '), out: ['as-chat'] },
  { name: 'eval', args: ['eval', '--recipe', 'eval.json'], out: ['scores'] },
  { name: 'export', args: ['export', '--model', 'runs/base/model', '--out', 'exported', '--dtype', 'bfloat16'], out: ['exported'] },
  { name: 'hub', args: ['export', '--model', `hf://${HUB_MODEL}`, '--out', 'of-hub/model'], out: ['hub', 'of-hub'] },
  { name: 'score', args: 'score --model runs/base/model --in rows.jsonl --out scored/scores.jsonl'.split(' '), out: ['scored'] },
  { name: 'compare', args: 'compare before.json before.json --out compared/results.json'.split(' '), out: ['compared'] },
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
    args: [...REPAIR, 'runs/repair'],
    out: ['runs/repair'],
    code: 3,
    isLong: true,
  },
  { name: 'repaired', args: [...REPAIR, 'runs/repaired'], out: ['runs/repaired'], from: 'half-repaired', isLong: true },
  { name: 'demo', args: ['demo', '--quick'], out: ['runs/demo-quick'], isLong: true, ownCode: 'cli/dist/demo/' },
  { name: 'paper', args: ['paper', '--quick', '--jobs', '1'], out: ['runs/paper-quick'], isLong: true, ownCode: 'cli/dist/paper/' },
]; // prettier-ignore

/**
 * Writes what the jobs read beside the project's own files: rows with a wrong one and a doubled one, benchmarks and their results, chats.
 * @returns a hub with {@link HUB_MODEL}.
 */
export async function writeJobs(folder: string): Promise<FakeHub> {
  const rows = readFileSync(join(folder, 'natural.jsonl'), 'utf8').trim().split('\n');
  writeFileSync(join(folder, 'mixed.jsonl'), `${[...rows, 'not JSON', rows[0]].join('\n')}\n`);
  writeFileSync(join(folder, 'rows.jsonl'), `${rows.slice(0, 4).join('\n')}\n`);
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
  await succeed(folder, 'eval', '--recipe', 'eval.json', '--out', 'before.json');
  await succeed(
    folder,
    'prepare',
    'synthetic.jsonl',
    '--as',
    'chat',
    '--tokenizer',
    'natural/tokenizer',
    '--out',
    'chat',
  );
  const model = join(folder, 'runs', 'base', 'model');
  const files = filesIn(model).map((name) => [name, readFileSync(join(model, name))]);
  return new FakeHub(HUB_MODEL, Object.fromEntries(files) as Record<string, Buffer>, 'model');
}

/**
 * Writes what the job `repaired` begins with: a repair up to its verdict, as if the model had been repaired, which takes more training than
 * there is time for.
 */
export async function writeHalfRepaired(folder: string): Promise<void> {
  const out = join(folder, 'runs', 'repaired');
  await lethe(folder, ...REPAIR, 'runs/repaired');
  const verify = join(out, 'phases', 'verify.json');
  writeFileSync(verify, readFileSync(verify, 'utf8').replace('"not-repaired"', '"repaired"'));
  for (const name of ['repair.json', 'report.html', 'report.md']) rmSync(join(out, name));
  renameSync(out, join(folder, 'half-repaired'));
}

/** Files that tell times, processes and machines; that they are there is compared, their content is not. */
const VOLATILE = /(^|\/)(manifest|prepare|results|sweep|figures)\.json$|\.(html|md|csv)$/;

/** Items of an evaluation: the name and the first line tell when the model was written. */
const ITEMS = /-[\da-f]{12}\.jsonl$/;

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Everything that a job wrote, by path: a hash, or what does not depend on time. */
export function resultOf(folder: string, { out }: Job): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const place of out)
    for (const name of filesIn(join(folder, place))) {
      const file = join(folder, place, name);
      if (name.includes('tfevents')) continue; // a file for each launch
      if (name.endsWith('metrics.jsonl')) result[name] = records(file);
      else if (VOLATILE.test(name)) result[name] = 'there';
      else if (ITEMS.test(name)) result[name.replace(ITEMS, '')] = readFileSync(file, 'utf8').split('\n').slice(1);
      else result[name] = /\b(phases\/[^/]*|repair|demo|paper)\.json$/.test(name) ? timeless(file) : digest(file);
    }
  return result;
}

/** What repairs and studies found, without the seconds that it took. */
const timeless = (file: string): unknown =>
  JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    key.startsWith('seconds') || (key === 'phases' && typeof value === 'object') ? undefined : value,
  );

/** Metrics without what depends on time. */
const records = (file: string): unknown[] =>
  readMetrics(file).map(
    ({ seconds: _seconds, tokensPerSecond: _speed, memoryBytes: _memory, validation, ...rest }) => ({
      ...rest,
      ...(typeof validation === 'object' && { validation: { ...validation, seconds: undefined } }),
    }),
  );

/** Removes what a job wrote, and what is kept beside shards, so that each time it makes the same changes; puts back what it begins with. */
export function removeResult(folder: string, { out, from }: Job): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[])
    if (/(^|\/)\.?(packing|original)-[^/]*$/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  for (const place of out) rmSync(join(folder, place), { recursive: true, force: true });
  if (from !== undefined) cpSync(join(folder, from), join(folder, out[0]), { recursive: true });
}

/** What broken-off work leaves: temporary files and locks. */
export const litterIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    /\.tmp-|\.lock$|\.partial$|\.incomplete$/.test(name),
  );
