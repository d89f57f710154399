import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { addonPath, loadAddon } from './addon.js';

const PROGRAM = join(__dirname, 'collectives-ranks.mjs');
const environment = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** Launchers by their families, and the arguments with which more ranks than cores are started. */
const LAUNCHERS = [
  { family: 'Open MPI', command: 'mpirun.openmpi', args: ['--oversubscribe'] },
  { family: 'MPICH', command: 'mpirun.mpich', args: [] },
];

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

function ranks(launcher: (typeof LAUNCHERS)[number], numRanks: number, ...args: string[]): Ended {
  const all = [...launcher.args, '-np', String(numRanks), process.execPath, PROGRAM, addonPath, ...args];
  return spawnSync(launcher.command, all, { encoding: 'utf8', timeout: 120_000, env: environment });
}

const isThere = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

// Skipped where the launcher is not installed: Debian's openmpi-bin and mpich.
describe.each(LAUNCHERS)('collectives over $family', (launcher) => {
  const when = isThere(launcher.command) ? it : it.skip;

  when.each([2, 3])('%d ranks: every kind and type, in order, the same bits on every rank and in every run', (size) => {
    const [first, second] = [ranks(launcher, size, 'works'), ranks(launcher, size, 'works')];
    expect(first).toMatchObject({ status: 0 });
    expect(first.stdout).toMatch(new RegExp(`bits \\d+\n${size} ranks over ${launcher.family}`));
    expect(second.stdout).toBe(first.stdout);
  });

  when('a rank that is killed ends the job, and is named', () => {
    const { status, stdout, stderr } = ranks(launcher, 3, 'killed');
    expect(status).not.toBe(0);
    // MPICH's launcher is quicker than the ranks, and names the process and its host itself.
    const told =
      launcher.family === 'MPICH' ? /PID \d+ RUNNING AT|has ended/ : /step 7: rank 1 \(process \d+ on .+\) has ended/;
    expect(stdout + stderr).toMatch(told);
  });

  when('a rank that is stopped is silent, and ends the job', () => {
    const { status, stderr } = ranks(launcher, 3, 'stopped');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/rank 0, step 8: rank 1 \(process \d+ on .+\) has given no sign of life for \d+ s/);
  });

  when('a rank that lives and does not come ends the job at the deadline', () => {
    const { status, stderr } = ranks(launcher, 2, 'late', '4');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/rank 0, step 9: all_reduce has waited 4 s for other ranks: rank 1 .+ is at loading/);
  });

  when('a rank may end the job', () => {
    expect(ranks(launcher, 2, 'aborted').status).not.toBe(0);
  });
});

describe('a process alone', () => {
  const addon = loadAddon();

  it('has collectives over nothing, once', async () => {
    expect(() => addon.collectivesAt('x')).toThrow('has opened no collectives');
    expect(() => addon.openCollectives('pigeons' as never, 1, 1)).toThrow('expected mpi or none, received pigeons');
    expect(() => addon.openCollectives('none', 0, 1)).toThrow('expected seconds above 0');
    expect(addon.openCollectives('none', 60, 60)).toMatchObject({ rank: 0, size: 1, library: 'none' });
    expect(() => addon.openCollectives('none', 60, 60)).toThrow('part of a job already');
    const x = Float32Array.of(1, 2);
    await addon.collectiveOnArray(0, x, 2, 0);
    expect([...x]).toEqual([1, 2]);
  });

  it('refuses what a call cannot be', () => {
    const call = (...args: unknown[]) => (addon.collectiveOnArray as (...args: unknown[]) => void)(...args);
    expect(() => call(0, new Float32Array(1), 2, 0)).toThrow('expected at least 8 bytes, the buffer has 4');
    expect(() => call(5, new Float32Array(1), 1, 0)).toThrow('expected a kind from 0 to 4, received 5');
    expect(() => call(0, new Uint8Array(1), 1, 0)).toThrow('bytes have no sum');
    expect(() => call(3, new Float32Array(1), 1, 1)).toThrow('no rank 1');
    expect(() => call(0, new Int32Array(1), 1, 0)).toThrow('expected floats, doubles');
    expect(() => call(0, [1], 1, 0)).toThrow('expected a typed array');
  });

  it('closes them, and may open them again', () => {
    addon.closeCollectives();
    expect(() => addon.collectiveOnArray(4, new Uint8Array(0), 0, 0)).toThrow('has opened no collectives');
    expect(addon.openCollectives('none', 60, 60).size).toBe(1);
    addon.closeCollectives();
  });
});

it('without an MPI library the message says what to install', () => {
  const script = `try { require(process.argv[1]).openCollectives('mpi', 9, 9); } catch (error) { process.stdout.write(error.code + ' ' + error.message); }`;
  const run = (library: string) =>
    spawnSync(process.execPath, ['-e', script, addonPath], {
      encoding: 'utf8',
      env: { ...process.env, LETHE_MPI: library },
    }).stdout;
  expect(run('/nowhere/libmpi.so')).toMatch(/^not_available \[mpi\] .*not found.*openmpi-bin.*LETHE_MPI/);
  expect(run('libm.so.6')).toContain('has no MPI_Get_library_version');
});
