import type { Change, Faulty } from './faulty.js';
import { type Job, litterIn, removeResult, resultOf } from './jobs.js';

/** What a job does when nothing goes wrong. */
export interface Truth {
  result: Record<string, unknown>;
  changes: Change[];
  ms: number;
}

/** Does jobs as if nothing went wrong, once each, and compares what they come to later. */
export class Undisturbed {
  private readonly truths = new Map<string, Truth>();

  constructor(
    private readonly folder: string,
    private readonly faulty: Faulty,
  ) {}

  async of(job: Job): Promise<Truth> {
    const known = this.truths.get(job.name);
    if (known) return known;
    removeResult(this.folder, job);
    const began = performance.now();
    const changes = await this.faulty.changes(job.args, job.code);
    const truth = { changes, result: resultOf(this.folder, job), ms: performance.now() - began };
    this.truths.set(job.name, truth);
    return truth;
  }

  /** What differs of a job's results, and what was left. */
  async wrongWith(job: Job): Promise<string | undefined> {
    const { result } = await this.of(job);
    const received = resultOf(this.folder, job);
    const differ = [...new Set([...Object.keys(result), ...Object.keys(received)])].filter(
      (name) => JSON.stringify(result[name]) !== JSON.stringify(received[name]),
    );
    const wrong = [...differ.map((name) => `another ${name}`), ...litterIn(this.folder).map((name) => `left ${name}`)];
    return wrong.length > 0 ? wrong.join(', ') : undefined;
  }

  /** Does a job to its end. @returns what is wrong then. */
  async finishes(job: Job): Promise<string | undefined> {
    const { code, stderr } = await this.faulty.run(job.args);
    return code === (job.code ?? 0) ? this.wrongWith(job) : `then exit ${code}: ${stderr.slice(-400)}`;
  }
}
