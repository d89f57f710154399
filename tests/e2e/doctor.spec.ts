import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './lethe.js';

const folder = temporaryFolder();
const PROGRAM = join(__dirname, '..', '..', 'packages', 'cli', 'bin', 'lethe.mjs');

/** Runs `lethe doctor` with more in its environment: the addon reads the process's own. */
function doctor(args: string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, [PROGRAM, 'doctor', ...args], { cwd: folder, env, encoding: 'utf8' });
}

interface Told {
  ok: boolean;
  findings: { check: string; status: string; found: string; remedy?: string }[];
}
const broken = ({ findings }: Told): string[] =>
  findings.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check}: ${status}`);

it('a machine that runs these tests has no problem, and every remedy stands below what it is for', () => {
  const { status, stdout, stderr } = doctor([]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ok {7}node {7}\d+\.\d+\.\d+ \(needs >=\d+\.\d+\)\n/);
  expect(stdout).toMatch(/^ok {7}operators {2}.*: fp32 \d+%, bf16 \d+% of the error allowed$/m);
  expect(stdout).toMatch(/\n\n0 problems, \d+ warnings?\n$/);
});

it('wrong variables and a folder that cannot be written are told as JSON, and end with 1', () => {
  writeFileSync(join(folder, 'file'), '');
  const environment = { LETHE_SIMD: 'foo', LETHE_HEADBYTES: '1', HF_HOME: join(folder, 'file') };
  const { status, stdout } = doctor(['--json', '--runs', join('file', 'runs')], environment);
  const told = JSON.parse(stdout) as Told;
  expect([status, told.ok]).toEqual([1, false]);
  expect(broken(told)).toEqual(
    expect.arrayContaining(['processor: problem', 'runs: problem', 'hub cache: warning', 'variables: warning']),
  );
  expect(told.findings.find(({ check }) => check === 'variables')!.remedy).toBe('did you mean LETHE_HEAD_BYTES?');
  expect(told.findings.every(({ status: how, remedy }) => (how === 'ok') === (remedy === undefined))).toBe(true);
});

it('an unknown flag is refused', () => {
  const { status, stderr } = doctor(['--jsn']);
  expect([status, stderr]).toEqual([2, expect.stringContaining("error: unknown option '--jsn'")]);
});
