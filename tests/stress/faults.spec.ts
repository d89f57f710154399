import { type Random, seededRandom } from '@lethe/run';
import { type Ended, jsonl, temporaryFolder } from '../e2e/lethe.js';
import { canFault, type Faulty } from './faults/faulty.js';
import { type FaultyProject, openFaultyProject } from './faults/faulty-project.js';
import { type Job, JOBS, removeResult } from './faults/jobs.js';
import { keepAll, losePower } from './faults/power.js';
import type { Undisturbed } from './faults/undisturbed.js';

// The short form of what is run by hand with LETHE_STRESS=1000: so many ends.
const BY_HAND = process.env['LETHE_STRESS'];
const COUNT = Number(BY_HAND ?? 3);
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
const names = process.env['LETHE_STRESS_JOBS']?.split(',') ?? (BY_HAND ? undefined : ['fp32', 'eval']);
const jobs = names?.map((wanted) => JOBS.find(({ name }) => name === wanted)!) ?? JOBS.filter(({ from }) => !from);

type End = 'kill' | 'moment' | 'dead' | 'torn';

const folder = temporaryFolder();
const beside = `${folder}-beside`;
let faulty: Faulty;
let undisturbed: Undisturbed;
let project: FaultyProject;
/** Ends of a command before its time: a process killed at one of its changes, at a random moment, and what stands for the first. */
const ENDS: End[] =
  (process.env['LETHE_STRESS_ENDS']?.split(',') as End[] | undefined) ??
  (BY_HAND ? ['kill', 'moment', 'dead', 'dead', 'torn', 'torn'] : ['dead', 'torn', 'kill']);

function tell(what: string, figures: object): void {
  if (BY_HAND) process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

(canFault ? describe : describe.skip)('commands whose changes to files go wrong', () => {
  beforeAll(async () => {
    project = await openFaultyProject(folder, beside);
    ({ faulty, undisturbed } = project);
  }, 600_000);
  afterAll(() => project.close());

  it(`${COUNT} kills, many inside a write: the same command ends the same, with nothing left`, async () => {
    const counts = { kill: 0, moment: 0, dead: 0, torn: 0, ended: 0 };
    const number = (): number => counts.kill + counts.moment + counts.dead + counts.torn;
    const wrong: string[] = [];
    for (let i = FIRST; number() < COUNT; i++) {
      const job = jobs[i % jobs.length];
      const random = seededRandom(i, 'kills');
      removeResult(folder, job);
      await undisturbed.of(job);
      removeResult(folder, job);
      // Several in a row: what a killed one left meets the next.
      for (let times = 1 + random.int(4); times > 0; times--) {
        const how = ENDS[random.int(ENDS.length)];
        const { code, stderr } = await ended(job, how, random);
        const isDone = code === (job.code ?? 0);
        counts[isDone ? 'ended' : how]++;
        if (!isDone && code !== null && !/EIO/.test(stderr))
          wrong.push(`${job.name} ${i}: exit ${code} after an end: ${stderr.slice(-400)}`);
      }
      const problem = await undisturbed.finishes(job);
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
    const { changes, ms } = await undisturbed.of(job);
    const { number: at } = changes[random.int(changes.length)];
    if (how === 'dead' || how === 'torn') return faulty.run(job.args, { at, how });
    if (how === 'kill') return faulty.runAlone(job.args, { at, how });
    return faulty.runAlone(job.args, undefined, random.int(Math.ceil(ms) + 1000));
  }

  it(`${COUNT} losses of power: goes on from at most two checkpoints before, and ends the same`, async () => {
    const counts = { lost: 0, ended: 0, furthest: 0 };
    const wrong: string[] = [];
    const [job] = jobs;
    const { changes } = await undisturbed.of(job);
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
      const problem = ended.code === 0 ? await undisturbed.wrongWith(job) : `exit ${ended.code}: ${stderr.slice(-400)}`;
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
