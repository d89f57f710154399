import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, temporaryFolder } from '../e2e/lethe.js';
import { canFault, type Faulty, type Place } from './faults/faulty.js';
import { type FaultyProject, openFaultyProject } from './faults/faulty-project.js';
import { type Job, JOBS, litterIn, removeResult, writeHalfRepaired } from './faults/jobs.js';
import type { Undisturbed } from './faults/undisturbed.js';

// The short form of what is run by hand with LETHE_STRESS=3: so many rounds, from LETHE_STRESS_FIRST on; in each LETHE_STRESS_SITES places of
// a job at most.
const BY_HAND = process.env['LETHE_STRESS'];
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
const COUNT = Number(BY_HAND ?? 3);
const SITES = Number(process.env['LETHE_STRESS_SITES'] ?? (BY_HAND ? Infinity : 2));
const names = process.env['LETHE_STRESS_JOBS']?.split(',') ?? (BY_HAND ? undefined : ['fp32', 'eval']);
const jobs = names?.map((wanted) => JOBS.find(({ name }) => name === wanted)!) ?? JOBS;

const folder = temporaryFolder();
const beside = `${folder}-beside`;
const kept = join(beside, 'kept');
let faulty: Faulty;
let undisturbed: Undisturbed;
let project: FaultyProject;

function tell(what: string, figures: object): void {
  if (BY_HAND) process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

const SAYS =
  /: (the disk is full: (\d+ bytes to write, )?\d+ bytes free|the quota of disk space is used up|the disk reports an error) \(/;

/** What is wrong with how a command ended that could not write. */
function faultOfEnd({ code, stderr }: Ended, { call }: Place): string | undefined {
  if (code !== 1) return `exit ${code}: ${stderr.slice(-400)}`;
  if (/\n\s+at |--verbose/.test(stderr)) return `a stack: ${stderr.slice(-600)}`;
  if (stderr.includes('a file that was being written')) return `no path: ${stderr.slice(-400)}`;
  if (/^(write|copy)$/.test(call) && /the disk is full: \d+ bytes free/.test(stderr))
    return `without the bytes: ${stderr.slice(-400)}`;
  // A sweep tells of a run, and goes on with the others.
  const isTold = (line: string): boolean =>
    /^(lethe|error): /.test(line) && SAYS.test(line) && line.includes('What was finished before is whole; ');
  return stderr.split('\n').some(isTold) ? undefined : `not told: ${stderr.slice(-400)}`;
}

const shown = ({ call, path, code }: Place): string => `${call} ${path} by ${code.slice(0, 8).join(' < ') || '?'}`;

/** A round each: fails at the first, the middle and the last time that a command comes to a place; each is another error. */
const ROUNDS = [() => 1, (times: number) => (times >> 1) + 1, (times: number) => times];

/** What a command left but for downloads, which go on with what there is. */
const leftNow = (): string[] => litterIn(folder).filter((name) => !name.endsWith('.incomplete'));

/** The same once what the command did beside what failed has come to its end too: its process goes on here. */
async function litterLeft(): Promise<string[]> {
  for (let times = 50; times > 0 && leftNow().length > 0; times--)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return leftNow();
}

/** Lets a job fail at each of its places, three times over. @returns what was wrong. */
class Failing {
  readonly wrong: string[] = [];
  readonly counts = { places: 0, changes: 0, elsewhere: 0, told: 0, wentOn: 0, notReached: 0 };
  private places = new Map<bigint, Place>();

  constructor(private readonly job: Job) {}

  async everywhere(): Promise<void> {
    removeResult(folder, this.job);
    this.places = await faulty.places(this.job.args, this.job.code);
    this.counts.places = this.places.size;
    for (const { times } of this.places.values()) this.counts.changes += times;
    for (let round = FIRST; round < FIRST + COUNT; round++) await this.round(round);
    removeResult(folder, this.job);
  }

  private async round(round: number): Promise<void> {
    const step = Math.max(1, Math.floor(this.places.size / SITES));
    const { ownCode = '' } = this.job;
    const own = [...this.places].filter(([, { code }]) => (code.at(-1) ?? '').includes(ownCode));
    this.counts.elsewhere += this.places.size - own.length;
    const due = own.filter((_, i) => i % step === Math.floor((round * step) / ROUNDS.length));
    const all = new Map([...this.places.keys()].map((hash) => [hash, 0]));
    for (const [hash, { times }] of due) all.set(hash, ROUNDS[round](times));
    removeResult(folder, this.job);
    faulty.arm(all);
    for (;;) {
      if (this.job.isLong) this.keep();
      const { ended, place } = await faulty.runToPlace(this.job.args, round);
      if (!place) {
        await this.ends(ended, round);
        return;
      }
      const isOver = await this.failed(ended, place, round);
      if (isOver && this.job.isLong) this.putBack();
      if (!isOver || this.job.isLong) continue;
      removeResult(folder, this.job);
      faulty.arm(faulty.armed());
    }
  }

  /** Keeps what a long job has come to, in case that its next command comes to its end in spite of its failure. */
  private keep(): void {
    rmSync(kept, { recursive: true, force: true });
    for (const place of this.job.out.filter((out) => existsSync(join(folder, out))))
      cpSync(join(folder, place), join(kept, place), { recursive: true, preserveTimestamps: true });
  }

  private putBack(): void {
    for (const place of this.job.out) rmSync(join(folder, place), { recursive: true, force: true });
    if (existsSync(kept)) cpSync(kept, folder, { recursive: true, preserveTimestamps: true });
  }

  /** Of a long job the next command goes on from there, and fails further on. @returns whether the job was done to its end. */
  private async failed(ended: Ended, place: Place, round: number): Promise<boolean> {
    const problems = [];
    const isDone = ended.code === (this.job.code ?? 0);
    if (isDone) {
      this.counts.wentOn++;
      // What is done is told as done where a lock stays; the next command removes it.
      const stays = /the lock could not be removed/.test(ended.stderr);
      problems.push(await (stays ? undisturbed.finishes(this.job) : undisturbed.wrongWith(this.job)));
    } else {
      this.counts.told++;
      const litter = await litterLeft();
      problems.push(faultOfEnd(ended, place), litter.length > 0 ? `left ${litter.join(' ')}` : undefined);
      if (!this.job.isLong) problems.push(await undisturbed.finishes(this.job));
    }
    for (const problem of problems) if (problem) this.blame(`${shown(place)}: ${problem}`, round);
    if ((this.counts.told + this.counts.wentOn) % 20 === 0) tell(`${this.job.name} so far`, this.counts);
    return isDone || !this.job.isLong;
  }

  /** A command that has met no place that was due. */
  private async ends({ code, stderr }: Ended, round: number): Promise<void> {
    const problem =
      code === (this.job.code ?? 0) ? await undisturbed.wrongWith(this.job) : `exit ${code}: ${stderr.slice(-400)}`;
    if (problem) this.blame(`at the end: ${problem}`, round);
    const left = faulty.armed();
    for (const place of this.places.values())
      if (left.get(place.hash)! > 0) {
        this.counts.notReached++;
        tell('not reached', { place: shown(place), round });
      }
  }

  private blame(problem: string, round: number): void {
    this.wrong.push(`${this.job.name}, round ${round}: ${problem}`);
    tell('wrong', { wrong: this.wrong.at(-1) });
  }
}

(canFault ? describe : describe.skip)('commands whose disk has no room', () => {
  beforeAll(async () => {
    project = await openFaultyProject(folder, beside);
    ({ faulty, undisturbed } = project);
    if (jobs.some(({ name }) => name === 'repaired')) await writeHalfRepaired(folder);
  }, 600_000);
  afterAll(() => project.close());

  it('a full disk, a quota, a broken disk: says so, leaves nothing, and goes on to the same end', async () => {
    const wrong: string[] = [];
    let told = 0;
    for (const job of jobs) {
      await undisturbed.of(job);
      const failing = new Failing(job);
      await failing.everywhere();
      tell(job.name, failing.counts);
      wrong.push(...failing.wrong);
      told += failing.counts.told;
    }
    expect(wrong).toEqual([]);
    expect(told).toBeGreaterThan(0);
  }, 36_000_000);
});
