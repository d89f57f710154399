import { spawn, spawnSync } from 'node:child_process';
import { type Ended, PROGRAM, type Running } from './lethe.js';

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
  const child = spawn('mpirun', all, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return { process: child, ended };
}

/** Runs `lethe` on several ranks to its end. */
export const onRanks = (job: Job, ...args: string[]): Promise<Ended> => startRanks(job, ...args).ended;

/** The same, and expects success. @throws Error with its output otherwise. */
export async function succeedOnRanks(job: Job, ...args: string[]): Promise<Ended> {
  const ended = await onRanks(job, ...args);
  if (ended.code !== 0) throw new Error(`${job.ranks} ranks: lethe ${args.join(' ')}: ${ended.code}\n${ended.stderr}`);
  return ended;
}
