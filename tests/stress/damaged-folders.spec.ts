import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '@lethe/run';
import { filesIn, temporaryFolder } from '../e2e/lethe.js';
import { pretrainProject } from '../e2e/small-project.js';
import { canFault, Faulty } from './faults/faulty.js';
import { type Job, JOBS, litterIn, removeResult, resultOf, writeJobs } from './faults/jobs.js';

// The short form of what is run by hand with LETHE_STRESS=1000: so many damages of what a run, shards or an evaluation hold.
const BY_HAND = process.env['LETHE_STRESS'];
const COUNT = Number(BY_HAND ?? 12);
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
const folder = temporaryFolder();
const beside = `${folder}-beside`;

/** A command that was broken off, whose folder is damaged; or one that reads a damaged folder from its beginning. */
interface Case {
  job: Job;
  damaged: string;
  /** Of its changes to files, where it was broken off. */
  at?: number;
}

const jobOf = (name: string): Job => JOBS.find((job) => job.name === name)!;
const CASES: Case[] = [
  { job: jobOf('fp32'), damaged: 'runs/fp32', at: 0.6 },
  { job: jobOf('fp32'), damaged: 'natural/train' },
  { job: jobOf('fp32'), damaged: 'synthetic/train' },
  { job: jobOf('eval'), damaged: 'scores', at: 0.7 },
  { job: jobOf('eval'), damaged: 'natural/heldout' },
  { job: jobOf('eval'), damaged: 'runs/base/model' },
  { job: jobOf('sweep'), damaged: 'runs/sweep', at: 0.8 },
];

/** With the times of files: by a model's the items of its evaluation are told apart. */
const COPIED = { recursive: true, preserveTimestamps: true };

/** Flips a bit, cuts the end off or deletes one of the files. @returns what it did to which. */
function damage(root: string, random: Random): { file: string; how: string } {
  // The command that finds a run of a sweep finished does not read its model; what owners edit has no checksum.
  const names = filesIn(root).filter((name) => !/tfevents|^seed-\d\/model\/|_config\.json$|\.jinja$/.test(name));
  const name = names[random.int(names.length)];
  const file = join(root, name);
  const { size } = statSync(file);
  const drawn = ['deleted', 'cut', 'flipped', 'flipped'][random.int(4)];
  // Without its list of checksums a model is as its owner left it: removing that is how a change is meant.
  const how = size === 0 ? 'deleted' : name.endsWith('SHA256SUMS') ? 'flipped' : drawn;
  if (how === 'deleted') rmSync(file);
  else if (how === 'cut') truncateSync(file, random.int(size));
  else {
    const bytes = readFileSync(file);
    bytes[random.int(size)] ^= 1 << random.int(8);
    writeFileSync(file, bytes);
  }
  return { file: name, how };
}

(canFault ? describe : describe.skip)('folders that were damaged', () => {
  let faulty: Faulty;
  const truths = new Map<Case, Record<string, unknown>>();
  const good = (one: Case): string => join(beside, `good-${CASES.indexOf(one)}`);

  beforeAll(async () => {
    await pretrainProject(folder);
    writeJobs(folder);
    faulty = new Faulty(folder, beside);
    for (const one of CASES) {
      const changes = await faulty.changes(one.job.args);
      truths.set(one, resultOf(folder, one.job));
      removeResult(folder, one.job);
      if (one.at !== undefined) {
        const { number } = changes[Math.floor(one.at * changes.length)];
        await faulty.run(one.job.args, { at: number, how: 'dead' });
      }
      cpSync(join(folder, one.damaged), good(one), COPIED);
      removeResult(folder, one.job);
    }
  }, 600_000);
  afterAll(() => {
    faulty.end();
    rmSync(beside, { recursive: true, force: true });
  });

  /** What came of a damage: the same result, one that was told of, or a refusal that names a file of the folder. */
  async function outcomeOf(one: Case): Promise<string> {
    const { code, stderr } = await faulty.run(one.job.args);
    if (/\n\s+at |--verbose|uncaughtException|unhandledRejection/.test(stderr)) return `a stack: ${stderr.slice(-400)}`;
    const isNamed = stderr.includes(one.damaged);
    if (code !== 0) return isNamed ? 'refused by name' : `exit ${code}, not named: ${stderr.slice(-300)}`;
    const litter = litterIn(folder);
    if (litter.length > 0) return `left ${litter.join(' ')}`;
    const [is, was] = [resultOf(folder, one.job), truths.get(one)!];
    const other = Object.keys(was).filter((name) => JSON.stringify(is[name]) !== JSON.stringify(was[name]));
    if (other.length === 0) return /warn/i.test(stderr) ? 'the same, with a warning' : 'the same';
    // Records and items that were lost are told of.
    if (/damaged|lost/.test(stderr) && other.every((name) => /metrics\.jsonl|items/.test(name)))
      return 'lost records, told';
    return `another ${other.join(', ')}: ${stderr.slice(-300)}`;
  }

  it(`${COUNT} damages: found and named, or of no consequence`, async () => {
    const counts: Record<string, number> = {};
    const wrong: string[] = [];
    for (let i = FIRST; i < FIRST + COUNT; i++) {
      const one = CASES[i % CASES.length];
      const place = join(folder, one.damaged);
      rmSync(place, { recursive: true, force: true });
      cpSync(good(one), place, COPIED);
      const random = seededRandom(i, 'damaged folder');
      const done = Array.from({ length: 1 + random.int(2) }, () => damage(place, random));
      const outcome = await outcomeOf(one);
      if (/^(the same|refused by name|lost records)/.test(outcome)) counts[outcome] = (counts[outcome] ?? 0) + 1;
      else {
        wrong.push(`${i}, ${one.job.name}: ${done.map(({ file, how }) => `${file} ${how}`).join(', ')}: ${outcome}`);
        if (BY_HAND) process.stdout.write(`wrong ${wrong.at(-1)}\n`);
      }
      removeResult(folder, one.job);
      rmSync(place, { recursive: true, force: true });
      if (one.at === undefined) cpSync(good(one), place, COPIED);
      if (BY_HAND && i % 50 === 49) process.stdout.write(`damages: ${i + 1}, ${JSON.stringify(counts)}\n`);
    }
    if (BY_HAND) process.stdout.write(`damages: ${JSON.stringify(counts)}\n`);
    expect(wrong).toEqual([]);
    expect(counts['refused by name']).toBeGreaterThan(0);
    expect(readdirSync(folder)).toContain('natural');
  }, 36_000_000);
});
