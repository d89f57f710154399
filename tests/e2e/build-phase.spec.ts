import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SETUP = join(__dirname, '..', '..', 'scripts', 'setup');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-build-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = (text: string): string[] => ['--input-type=module', '-e', text];
const node = (text: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, program(text), { cwd: folder, encoding: 'utf8' });

describe('a phase of a build', () => {
  const phase = (script: string): string => `
    import { runPhase } from '${SETUP}/phase.mjs';
    const log = '${join(folder, 'all.log')}';
    try { await runPhase({ what: 'compiling', command: 'sh', args: ['-c', ${JSON.stringify(script)}], cwd: '.', log, remedy: 'Do this.' }); }
    catch (error) { process.stdout.write(error.message); }`;

  it('tells its percents', () => {
    const { stderr, stdout } = node(phase('for i in 1 2 3 4; do echo "[$i/4] Building"; sleep 0.1; done'));
    expect(stderr).toBe('build: compiling\nbuild: compiling, 25%\nbuild: compiling, 50%\nbuild: compiling, 75%\n');
    expect(stdout).toBe('');
  });

  it('ends with the cause, not with what else was printed, and keeps everything', () => {
    const lines = ['[1/2] a.cpp', "a.cpp:3:1: error: 'x' was not declared", '    3 | x', 'note: 1', '[2/2] b.cpp', 'ninja: stopped'];
    const { stdout } = node(phase(`printf '%s\\n' ${lines.map((line) => `"${line}"`).join(' ')}; exit 2`));
    expect(stdout).toMatch(/^compiling failed \(exit status 2\).*Do this\. The cause:\n/);
    expect(stdout.split('\n').slice(1)).toEqual(["a.cpp:3:1: error: 'x' was not declared", '    3 | x']);
    expect(readFileSync(join(folder, 'all.log'), 'utf8')).toBe(`${lines.join('\n')}\n`);
  });
});

describe('the lock of a build', () => {
  const file = (): string => join(folder, 'lock');
  const locked = (body: string): string =>
    `import { withLock } from '${SETUP}/lock.mjs'; await withLock('${file()}', async () => { ${body} });`;

  it('is taken over from a process that is gone, also when another has its number', () => {
    for (const owner of ['999999999 1', `${process.pid} 1`]) {
      writeFileSync(file(), owner);
      expect(node(locked("process.stdout.write('built')")).stdout).toBe('built');
      expect(existsSync(file())).toBe(false);
    }
  });

  it('is waited for, and the one who waits is told for whom', async () => {
    const first = spawn(process.execPath, program(locked("process.stdout.write('held'); await new Promise((end) => setTimeout(end, 1500))")));
    await new Promise((resolve) => first.stdout.once('data', resolve));
    const second = node(locked("process.stdout.write('built')"));
    expect(second.stderr).toBe(`build: waiting for process ${first.pid}, which builds here\n`);
    expect(second.stdout).toBe('built');
    expect(first.exitCode ?? (await new Promise((resolve) => first.once('exit', resolve)))).toBe(0);
  });
});
