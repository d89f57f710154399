import { spawnSync } from 'node:child_process';
import { type Ended, PROGRAM, type Running, startProcess } from './lethe.js';

/** Whether ranks can be started here: Debian's openmpi-bin. Where they cannot, their tests are skipped. */
export const hasMpi = spawnSync('mpirun', ['--version'], { encoding: 'utf8' }).stdout?.includes('Open MPI') ?? false;

/** What several processes need as root, and on fewer cores than there are of them. */
export const ENVIRONMENT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** A `lethe` of several ranks: in a folder, with further variables. */
export interface Job {
  folder: string;
  ranks: number;
  environment?: Record<string, string>;
}

/** Starts `lethe` on several ranks of this machine. */
export function startRanks({ folder, ranks, environment }: Job, ...args: string[]): Running {
  const all = ['--oversubscribe', '-np', String(ranks), process.execPath, PROGRAM, ...args];
  const env = { ...process.env, ...ENVIRONMENT, ...environment };
  return startProcess('mpirun', all, { cwd: folder, env });
}

/** Runs `lethe` on several ranks to its end. */
export const onRanks = (job: Job, ...args: string[]): Promise<Ended> => startRanks(job, ...args).ended;

/** The same, and expects success. @throws Error with its output otherwise. */
export async function succeedOnRanks(job: Job, ...args: string[]): Promise<Ended> {
  const ended = await onRanks(job, ...args);
  if (ended.code !== 0) throw new Error(`${job.ranks} ranks: lethe ${args.join(' ')}: ${ended.code}\n${ended.stderr}`);
  return ended;
}
