// Limits that a shell sets stand for a full disk and a quota: the system refuses in the middle of a write.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, PROGRAM, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
beforeAll(() => pretrainProject(folder), 600_000);

/** Runs `lethe` under a limit of the shell, such as `-S -f 40`: files of so many KiB. */
const limited = (limit: string, ...args: string[]): ReturnType<typeof run> => run(PROGRAM, limit, ...args);

function run(program: string, limit: string, ...args: string[]): { status: number | null; stderr: string } {
  const script = `ulimit ${limit} && exec "$@"`;
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, program, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stderr };
}
const unlearn = (runs: string): string[] => [
  'unlearn',
  '--recipe',
  'unlearn.yaml',
  '--set',
  `runs=${runs}`,
  '--set',
  'steps=6',
  '--set',
  'checkpoint.every=2',
];
const weights = (runs: string): Buffer => readFileSync(join(folder, runs, 'unlearn/model/model.safetensors'));
const temporary = (runs: string): string[] => filesIn(join(folder, runs)).filter((name) => name.includes('.tmp-'));

it('a run whose files may not be so large says so, leaves nothing behind, and goes on to the same weights', async () => {
  await succeed(folder, ...unlearn('whole'));
  const { status, stderr } = limited('-S -f 40', ...unlearn('limited'));
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /lethe: .*\.safetensors: larger than the system lets a file be \(EFBIG.*What was finished before is whole; raise .*ulimit -f.*\n$/,
  );
  expect(stderr).not.toMatch(/--verbose|\n\s+at /);
  expect(temporary('limited')).toEqual([]);
  await succeed(folder, ...unlearn('limited'));
  expect(weights('limited').equals(weights('whole'))).toBe(true);
}, 600_000);

it('a preparation whose shards may not be so large says so, and is done again', async () => {
  const prepare = ['prepare', 'natural.jsonl', '--tokenizer', 'natural/tokenizer', '--out', 'small'];
  const { status, stderr } = limited('-S -f 4', ...prepare);
  expect(status).toBe(1);
  expect(stderr).toMatch(/lethe: small.*: larger than the system lets a file be \(EFBIG/);
  expect(existsSync(join(folder, 'small', 'prepare.json'))).toBe(false);
  await succeed(folder, ...prepare);
  expect(readdirSync(join(folder, 'small'))).toContain('prepare.json');
}, 600_000);

it.each(['cli', 'lethe'])('%s says that it may open too few files, in the place of a stack', (name) => {
  const program = join(__dirname, '..', '..', 'packages', name, 'bin', 'lethe.mjs');
  const { status, stderr } = run(program, '-n 100', '--version');
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^lethe: a program may open 100 files here, .*ulimit -n 1024\n$/),
  ]);
});
