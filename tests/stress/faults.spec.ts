import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '@lethe/run';
import type { FakeHub } from '../../packages/data-pipeline/testing/fake-hub.js';
import { type Ended, jsonl, temporaryFolder } from '../e2e/lethe.js';
import { pretrainProject } from '../e2e/small-project.js';
import { type Change, canFault, type Fault, Faulty } from './faults/faulty.js';
import { type Job, JOBS, litterIn, removeResult, resultOf, writeJobs } from './faults/jobs.js';
import { keepAll, losePower } from './faults/power.js';

// The short form of what is run by hand with LETHE_STRESS=1000: so many ends; full disks by LETHE_STRESS_SITES of all places.
const BY_HAND = process.env['LETHE_STRESS'];
const COUNT = Number(BY_HAND ?? 3);
const SITES = Number(process.env['LETHE_STRESS_SITES'] ?? (BY_HAND ? Infinity : 3));
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
const names = process.env['LETHE_STRESS_JOBS']?.split(',') ?? (BY_HAND ? undefined : ['fp32', 'eval']);
const jobs = names?.map((wanted) => JOBS.find(({ name }) => name === wanted)!) ?? JOBS;

type End = 'kill' | 'moment' | 'dead' | 'torn';

const folder = temporaryFolder();
const beside = `${folder}-beside`;
let faulty: Faulty;
let hub: FakeHub;
/** Ends of a command before its time: a process killed at one of its changes, at a random moment, and what stands for the first. */
const ENDS: End[] =
  (process.env['LETHE_STRESS_ENDS']?.split(',') as End[] | undefined) ??
  (BY_HAND ? ['kill', 'moment', 'dead', 'dead', 'torn', 'torn'] : ['dead', 'torn', 'kill']);

/** What each job writes, and its changes, when nothing goes wrong. */
const truths = new Map<string, { result: Record<string, unknown>; changes: Change[]; ms: number }>();

async function truthOf(job: Job): Promise<{ result: Record<string, unknown>; changes: Change[]; ms: number }> {
  const known = truths.get(job.name);
  if (known) return known;
  removeResult(folder, job);
  const began = performance.now();
  const changes = await faulty.changes(job.args);
  const truth = { changes, result: resultOf(folder, job), ms: performance.now() - began };
  truths.set(job.name, truth);
  return truth;
}

function tell(what: string, figures: object): void {
  if (BY_HAND) process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

/** A change's place in the program, as far as it can be told: its call, and its path without what differs between runs. */
const siteOf = ({ call, path }: Change): string => `${call} ${path.replaceAll(/\d+/g, '#')}`;

/** A fault at the first, the middle and the last change of every place that needs room. */
function faultsOf(changes: Change[]): { site: string; fault: Fault }[] {
  const sites = new Map<string, number[]>();
  for (const change of changes.filter(({ needsRoom }) => needsRoom))
    sites.set(siteOf(change), [...(sites.get(siteOf(change)) ?? []), change.number]);
  return [...sites].flatMap(([site, all], i) =>
    [...new Set([all[0], all[all.length >> 1], all.at(-1)!])].map((at, n) => {
      const how = [
        { how: 'on', code: 'ENOSPC' },
        { how: 'on', code: 'EDQUOT' },
        { how: 'once', code: 'EIO' },
      ][(i + n) % 3] as Omit<Fault, 'at'>;
      return { site, fault: { at, ...how } };
    }),
  );
}

const SAYS = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of disk space is used up',
  EIO: 'the disk reports an error',
};

/** What is wrong with how a command ended that could not write. */
function faultOfEnd({ code, stderr }: Ended, says: string): string | undefined {
  if (code !== 1) return `exit ${code}: ${stderr.slice(-400)}`;
  if (/\n\s+at |--verbose/.test(stderr)) return `a stack: ${stderr.slice(-600)}`;
  if (stderr.includes('a file that was being written')) return `no path: ${stderr.slice(-400)}`;
  // A sweep tells of a run, and goes on with the others.
  const isTold = (line: string): boolean =>
    /^(lethe|error): /.test(line) && line.includes(says) && line.includes('What was finished before is whole; ');
  return stderr.split('\n').some(isTold) ? undefined : `not told: ${stderr.slice(-400)}`;
}

/** What differs of a job's results, and what was left. */
async function wrongWith(job: Job): Promise<string | undefined> {
  const { result } = await truthOf(job);
  const received = resultOf(folder, job);
  const differ = [...new Set([...Object.keys(result), ...Object.keys(received)])].filter(
    (name) => JSON.stringify(result[name]) !== JSON.stringify(received[name]),
  );
  const wrong = [...differ.map((name) => `another ${name}`), ...litterIn(folder).map((name) => `left ${name}`)];
  return wrong.length > 0 ? wrong.join(', ') : undefined;
}

/** Does a job to its end. @returns what is wrong then. */
async function finishes(job: Job): Promise<string | undefined> {
  const { code, stderr } = await faulty.run(job.args);
  return code === 0 ? wrongWith(job) : `then exit ${code}: ${stderr.slice(-400)}`;
}

(canFault ? describe : describe.skip)('commands whose changes to files go wrong', () => {
  beforeAll(async () => {
    await pretrainProject(folder);
    hub = await writeJobs(folder);
    faulty = new Faulty(folder, beside, { HF_ENDPOINT: await hub.start(), HF_HUB_CACHE: join(folder, 'hub') });
  }, 600_000);
  afterAll(async () => {
    faulty.end();
    await hub.stop();
    rmSync(beside, { recursive: true, force: true });
  });

  it('a full disk, a quota, a broken disk: says so, leaves nothing, and goes on to the same end', async () => {
    const counts = { told: 0, wentOn: 0 };
    const wrong: string[] = [];
    for (const job of jobs) {
      const faults = faultsOf((await truthOf(job)).changes);
      const step = Math.max(1, Math.floor(faults.length / SITES));
      for (const { site, fault } of faults.filter((_, i) => i % step === step >> 1)) {
        removeResult(folder, job);
        const ended = await faulty.run(job.args, fault);
        const problems = [];
        if (ended.code === 0) {
          counts.wentOn++;
          // What is done is told as done where a lock stays; the next command removes it.
          const stays = /the lock could not be removed/.test(ended.stderr);
          problems.push(await (stays ? finishes(job) : wrongWith(job)));
        } else {
          counts.told++;
          problems.push(
            faultOfEnd(ended, SAYS[fault.code!]),
            // A download goes on with what there is.
            litterIn(folder)
              .filter((name) => !name.endsWith('.incomplete'))
              .join(' ') || undefined,
            await finishes(job),
          );
        }
        for (const problem of problems.filter((one) => one !== undefined)) {
          wrong.push(`${job.name}, ${fault.code} ${fault.how} at ${fault.at}, ${site}: ${problem}`);
          tell('wrong', { wrong: wrong.at(-1) });
        }
      }
      tell(job.name, { places: faults.length, ...counts });
      removeResult(folder, job);
    }
    expect(wrong).toEqual([]);
    expect(counts.told).toBeGreaterThan(0);
  }, 36_000_000);

  it(`${COUNT} kills, many inside a write: the same command ends the same, with nothing left`, async () => {
    const counts = { kill: 0, moment: 0, dead: 0, torn: 0, ended: 0 };
    const number = (): number => counts.kill + counts.moment + counts.dead + counts.torn;
    const wrong: string[] = [];
    for (let i = FIRST; number() < COUNT; i++) {
      const job = jobs[i % jobs.length];
      const random = seededRandom(i, 'kills');
      removeResult(folder, job);
      await truthOf(job);
      removeResult(folder, job);
      // Several in a row: what a killed one left meets the next.
      for (let times = 1 + random.int(4); times > 0; times--) {
        const how = ENDS[random.int(ENDS.length)];
        const { code, stderr } = await ended(job, how, random);
        counts[code === 0 ? 'ended' : how]++;
        if (code !== 0 && code !== null && !/EIO/.test(stderr))
          wrong.push(`${job.name} ${i}: exit ${code} after an end: ${stderr.slice(-400)}`);
      }
      const problem = await finishes(job);
      if (problem) wrong.push(`${job.name} ${i}: ${problem}`);
      if (problem) tell('wrong', { wrong: wrong.at(-1) });
      if (i % 10 === 9) tell('kills so far', { i, ...counts, wrong: wrong.length });
      removeResult(folder, job);
    }
    tell('kills', counts);
    expect(wrong).toEqual([]);
    expect(number()).toBeGreaterThan(0);
  }, 36_000_000);

  /** Lets a job end before its time. */
  async function ended(job: Job, how: End, random: Random): Promise<Ended> {
    const { changes, ms } = await truthOf(job);
    const { number: at } = changes[random.int(changes.length)];
    if (how === 'dead' || how === 'torn') return faulty.run(job.args, { at, how });
    if (how === 'kill') return faulty.runAlone(job.args, { at, how });
    return faulty.runAlone(job.args, undefined, random.int(Math.ceil(ms) + 1000));
  }

  it(`${COUNT} losses of power: goes on from at most two checkpoints before, and ends the same`, async () => {
    const counts = { lost: 0, ended: 0, furthest: 0 };
    const wrong: string[] = [];
    const [job] = jobs;
    const { changes } = await truthOf(job);
    for (let i = FIRST; i < FIRST + COUNT; i++) {
      const random = seededRandom(i, 'losses of power');
      removeResult(folder, job);
      keepAll(folder, faulty.shadow);
      const { number } = changes[random.int(changes.length)];
      const { code } = await faulty.run(job.args, { at: number, how: random.int(2) === 0 ? 'torn' : 'dead' }, true);
      counts[code === 0 ? 'ended' : 'lost']++;
      const reached = stepReached(job);
      losePower(folder, faulty.shadow, random.int(3) === 0 ? undefined : random);
      faulty.bury();
      const { stderr, ...ended } = await faulty.run(job.args);
      const [, from = '0'] = /resuming .* after step (\d+)/.exec(stderr) ?? [];
      const lost = /is finished/.test(stderr) ? 0 : reached - Number(from);
      counts.furthest = Math.max(counts.furthest, lost);
      const problem = ended.code === 0 ? await wrongWith(job) : `exit ${ended.code}: ${stderr.slice(-400)}`;
      if (problem) wrong.push(`${i}, change ${number}: ${problem}`);
      if (lost > 4) wrong.push(`${i}, change ${number}: ${lost} steps lost`);
      if (problem ?? lost > 4) tell('wrong', { wrong: wrong.at(-1) });
    }
    tell('losses of power', counts);
    expect(wrong).toEqual([]);
    expect(counts.lost).toBeGreaterThan(0);
  }, 36_000_000);

  /** The last step that a run had written of. */
  function stepReached({ out: [place] }: Job): number {
    try {
      return jsonl<{ step: number }>(folder, place, 'metrics.jsonl').at(-1)?.step ?? 0;
    } catch {
      return 0; // ended before, or in the middle of a line
    }
  }
});
