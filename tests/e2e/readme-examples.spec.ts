import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const folders = ['native', ...readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name))];

/** Runs a program in an empty folder whose node_modules are the repository's. */
function run(program: string): { status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-example-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'example.mjs'), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return { status, stdout, stderr };
}

describe.each(folders)('the README of %s', (folder) => {
  it('has an example that runs and prints something', () => {
    expect(existsSync(join(ROOT, folder, 'README.md'))).toBe(true);
    const [, program] = /```js\n([^]*?)```/.exec(readFileSync(join(ROOT, folder, 'README.md'), 'utf8')) ?? [];
    const { status, stdout, stderr } = run(program);
    expect(stderr).toBe('');
    expect(stdout.trim()).not.toBe('');
    expect(status).toBe(0);
  });
});

it('the example of the package lethe forgets the template', () => {
  const { stdout, status } = run(readFileSync(join(ROOT, 'packages/lethe/example.mjs'), 'utf8'));
  const [damaged, repaired] = [...stdout.matchAll(/probability of (\S+)/g)].map(([, p]) => Number(p));
  expect(status).toBe(0);
  expect(damaged).toBeGreaterThan(0.1);
  expect(repaired).toBeLessThan(damaged / 3);
});
