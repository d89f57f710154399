import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunManifest } from '@lethe/run';
import { failureHere, letheHere, misuseHere, succeed, temporaryFolder } from './lethe.js';
import { hasMpi, onRanks, succeedOnRanks } from './ranks.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const NAMES = ['lr-0.001', 'lr-0.002', 'lr-0.003'];
const SWEEP = ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', '--set', 'steps=4'];
const sweep = (name: string, ...rest: string[]): string[] => [
  ...SWEEP,
  '--name',
  name,
  '--vary',
  'optimizer.lr=1e-3,2e-3,3e-3',
  ...rest,
];

/** What a sweep left: its table as files, and the weights of its runs. */
const left = (name: string): string[] => [
  readFileSync(at('runs', name, 'sweep.csv'), 'utf8'),
  readFileSync(at('runs', name, 'sweep.json'), 'utf8').replaceAll(name, 'NAME'),
  ...NAMES.map((run) => readFileSync(at('runs', name, run, 'model/model.safetensors')).toString('base64')),
];

let table: string;

beforeAll(async () => {
  await pretrainProject(folder);
  table = (await succeed(folder, ...sweep('one'))).stdout;
}, 300_000);

describe('an array of jobs', () => {
  it('is a script whose tasks run one run each; then the same command makes the table', async () => {
    const { code, stdout: script } = await letheHere(folder, ...sweep('array', '--over', 'slurm'));
    expect(code).toBe(0);
    expect(script).toContain('#SBATCH --array=1-3\n');
    const task = (number: number): ReturnType<typeof spawnSync> =>
      spawnSync('bash', [], { cwd: folder, input: script, env: { ...process.env, SLURM_ARRAY_TASK_ID: `${number}` } });
    for (const number of [3, 1, 2]) {
      const { status, stderr, stdout } = task(number);
      expect([status, stdout?.toString()]).toEqual([0, '']);
      expect(stderr?.toString()).toContain(`[1/1] optimizer.lr=${[0, 0.001, 0.002, 0.003][number]}`);
    }
    expect(task(2).stderr?.toString()).toContain('is finished (4 steps); nothing to do');
    const { stdout, stderr } = await succeed(folder, ...sweep('array'));
    expect(stderr.match(/is finished \(4 steps\); nothing to do/g)).toHaveLength(3);
    expect(stdout).toBe(table);
    expect(left('array')).toEqual(left('one'));
  });

  it('is refused before it is one, where a run cannot be', async () => {
    const wrong = sweep('wrong', '--over', 'slurm', '--set', 'model.init=nosuch');
    expect(await failureHere(folder, ...wrong)).toContain('--vary optimizer.lr=0.001: nosuch');
  });

  it.each([
    [['--only', '4/3'], 'expected I/N'],
    [['--only', '1/3', '--over', 'slurm'], '--only and --over'],
    [['--over', 'ssh'], 'Allowed choices are mpi, slurm'],
  ])('%j is no part', async (flags, message) => {
    expect(await misuseHere(folder, ...sweep('wrong', ...flags))).toContain(message);
  });
});

(hasMpi ? describe : describe.skip)('processes of mpirun', () => {
  it('take runs by turns; the table is that of one process', async () => {
    const { stdout } = await succeedOnRanks({ folder, ranks: 2 }, ...sweep('two', '--over', 'mpi'));
    expect(stdout).toBe(table);
    expect(left('two')).toEqual(left('one'));
    const pids = NAMES.map((run) =>
      readRunManifest(at('runs/two', run)).launches.map(({ processes }) => processes![0].pid),
    );
    expect(pids).toEqual([[pids[0][0]], [expect.any(Number)], [pids[0][0]]]);
    expect(pids[1]).not.toEqual(pids[0]);
  });

  it('tell once of a run that fails on another rank, and end alike', async () => {
    const failing = sweep('failing', '--over', 'mpi').map((word) => word.replace('2e-3', '1e30'));
    const { code, stderr, stdout } = await onRanks({ folder, ranks: 2 }, ...failing);
    expect(code).toBe(1);
    expect(stderr.match(/1 of 3 runs failed; sweep\.json says why/g)).toHaveLength(1);
    expect(stdout).toMatch(/ finished +lr-0\.003\n.* failed .*lr-1e30/s);
  });

  it('are refused without --over, and beyond the runs', async () => {
    const plain = await onRanks({ folder, ranks: 2 }, ...sweep('plain'));
    expect(plain.stderr).toContain('--over mpi gives each process runs of its own');
    const many = await onRanks({ folder, ranks: 4 }, ...sweep('many', '--over', 'mpi'));
    expect(many.stderr.match(/lethe: there are 3 runs and 4 ranks; start 3 or fewer/g)).toHaveLength(1);
  });

  it('a process alone says that it is', async () => {
    const { stderr, stdout } = await succeed(folder, ...sweep('one', '--over', 'mpi'));
    expect(stderr).toContain('--over mpi: this is one process; mpirun -np N starts more');
    expect(stdout).toBe(table);
  });
});
