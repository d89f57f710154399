import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockedError, lockBeside, lockWithin, removeDeadLock, whileLocked } from './lock.js';
import { temporaryPath } from './temporary-path.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = lockWithin(folder);
afterEach(() => rmSync(file, { force: true }));

const take = (): Promise<string> => whileLocked(file, () => Promise.resolve('done'));
const owner = (): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
/** The lock that this process would write, with some of it changed. */
async function leave(changed: object, ageSeconds = 0): Promise<void> {
  const mine = await whileLocked(file, () => Promise.resolve(owner()));
  writeFileSync(file, JSON.stringify({ ...mine, ...changed }));
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(file, at, at);
}

it('a full disk is told with what the lock takes and what is free, though the folder that was made for it is gone', async () => {
  const failing = jest.spyOn(jest.requireActual<typeof import('node:fs')>('node:fs'), 'writeFileSync');
  failing.mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  });
  const fresh = join(folder, 'made', 'for', 'it');
  const refused = whileLocked(lockWithin(fresh), () => Promise.resolve());
  await expect(refused).rejects.toThrow(
    /^\S*it: the disk is full: \d{3} bytes to write, \d+ bytes free \(.*whole; make room, /,
  );
  failing.mockRestore();
  expect(readdirSync(folder)).toEqual([]);
});

it('one works at a time; the lock is gone afterwards, also after a failure', async () => {
  await whileLocked(file, async () => {
    expect(owner()).toMatchObject({ pid: process.pid });
    await expect(take()).rejects.toThrow(LockedError);
    await expect(take()).rejects.toThrow(`process ${process.pid} on `);
    expect(existsSync(file)).toBe(true);
  });
  expect(readdirSync(folder)).toEqual([]);
  await expect(whileLocked(file, () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  expect(readdirSync(folder)).toEqual([]);
  expect(await take()).toBe('done');
});

it('folders that were made for the lock go where work left nothing in them', async () => {
  const deep = join(folder, 'runs', 'name');
  await whileLocked(lockWithin(deep), () => Promise.resolve());
  expect(readdirSync(folder)).toEqual([]);
  await whileLocked(lockWithin(deep), async () => writeFileSync(join(deep, 'metrics.jsonl'), ''));
  expect(readdirSync(deep)).toEqual(['metrics.jsonl']);
  rmSync(join(folder, 'runs'), { recursive: true });
});

/** The temporary path of a process of this machine that no longer runs. */
const ofDead = (path: string): string => path.replace(/\d+(-\d+)$/, `${2 ** 22 + 1}$1`);

it('a lock that a killed process was about to take is removed with what it left; one of a living process is not', async () => {
  // Empty: it ended between making and writing them. Of other machines and earlier versions nobody can tell.
  const mine = temporaryPath(file);
  const elsewhere = mine.replace(/tmp-[0-9a-f]{8}/, 'tmp-00000000');
  const dead = [file, lockBeside(join(folder, 'model'))].map((path) => ofDead(temporaryPath(path)));
  const kept = [mine, elsewhere, join(folder, '..lock.tmp-77-1')];
  for (const name of [...dead, ...kept]) writeFileSync(name, '');
  await take();
  expect([...dead, ...kept].filter((name) => existsSync(name))).toEqual(kept);
  for (const name of kept.slice(1)) utimesSync(name, 1, 1);
  await take();
  expect(kept.map((name) => existsSync(name))).toEqual([true, false, false]);
  rmSync(mine);
  await leave({ started: 'another' });
  writeFileSync(join(folder, '.manifest.json.tmp-77-1'), '');
  await removeDeadLock(file);
  expect(readdirSync(folder)).toEqual([]);
  await whileLocked(file, async () => {
    await removeDeadLock(file);
    expect(readdirSync(folder)).toEqual(['.lock']);
  });
});

it('many take and give back the lock of a folder that each of them makes and removes', async () => {
  const run = lockWithin(join(folder, 'brief', 'run'));
  const script = `import('${join(__dirname, '../dist/index.js')}').then(async ({ LockedError, whileLocked }) => {
    for (let i = 0; i < 60; i++) await whileLocked(process.argv[1], async () => {}).catch((error) => {
      if (!(error instanceof LockedError)) throw error;
    });
  })`;
  const ends = [1, 2, 3].map(() =>
    once(spawn(process.execPath, ['-e', script, run], { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit'),
  );
  expect(await Promise.all(ends)).toEqual(ends.map(() => [0, null]));
  rmSync(join(folder, 'brief'), { recursive: true, force: true }); // empty: not every one of them knows that it was not there
  expect(readdirSync(folder)).toEqual([]);
});

it('a lock that cannot be written leaves nothing, nor the folder that was made for it', async () => {
  const limit = `ulimit -f 0; exec "$@"`;
  const script = `import('${join(__dirname, '../dist/index.js')}').then(({ whileLocked }) => whileLocked(process.argv[1], async () => {})).catch(({ code, message }) => console.log(code, message.split(':')[0]))`;
  const deep = join(folder, 'new', 'run');
  const { stdout } = spawnSync('bash', ['-c', limit, 'bash', process.execPath, '-e', script, lockWithin(deep)], {
    encoding: 'utf8',
  });
  expect(stdout).toBe(`EFBIG ${deep}\n`);
  expect(readdirSync(folder)).toEqual([]);
});

it('a lock whose temporary file the disk does not remove is given back: the same process may try again', async () => {
  const at = mkdtempSync(join(folder, 'refused-'));
  const failing = jest.spyOn(jest.requireActual<typeof import('node:fs')>('node:fs'), 'rmSync');
  failing.mockImplementationOnce((path) => {
    throw Object.assign(new Error('EIO: i/o error, rm'), { code: 'EIO', syscall: 'rm', path });
  });
  await expect(whileLocked(lockWithin(at), () => Promise.resolve())).rejects.toThrow(
    `${at}: the disk reports an error`,
  );
  failing.mockRestore();
  expect(readdirSync(at)).toEqual([]);
  await whileLocked(lockWithin(at), () => Promise.resolve());
  rmSync(at, { recursive: true });
});

it('a lock that the disk does not remove at its end is told, undoes nothing, and is held by none', async () => {
  const at = mkdtempSync(join(folder, 'stays-'));
  const [failing, told] = [
    jest.spyOn(jest.requireActual<typeof import('node:fs')>('node:fs'), 'rmSync'),
    jest.spyOn(process.stderr, 'write').mockReturnValue(true),
  ];
  const work = (ends: () => Promise<string>): Promise<string> =>
    whileLocked(lockWithin(at), () => {
      failing.mockImplementationOnce((path) => {
        throw Object.assign(new Error('EIO: i/o error, rm'), { code: 'EIO', syscall: 'rm', path });
      });
      return ends();
    });
  try {
    expect(await work(() => Promise.resolve('done'))).toBe('done');
    expect(told.mock.calls).toEqual([
      [expect.stringContaining(`warn: ${at}/.lock: the lock could not be removed (EIO`)],
    ]);
    expect(readdirSync(at)).toEqual(['.lock']);
    await expect(work(() => Promise.reject(new Error('diverged')))).rejects.toThrow('diverged');
    await whileLocked(lockWithin(at), async () => {
      await expect(whileLocked(lockWithin(at), () => Promise.resolve())).rejects.toThrow(LockedError);
    });
  } finally {
    failing.mockRestore();
    told.mockRestore();
  }
  expect(readdirSync(at)).toEqual([]);
  rmSync(at, { recursive: true });
});

it('temporary files that a killed owner left are removed, and nothing else', async () => {
  const run = join(folder, 'run');
  for (const name of ['checkpoints', '.model.tmp-77-2', 'locked', 'items'])
    mkdirSync(join(run, name), { recursive: true });
  const left = ['.manifest.json.tmp-77-1', 'items/.a.json.tmp-77-3', '.model.tmp-77-2/weights'];
  const kept = ['metrics.jsonl', '.hidden', 'items/a.json', '..lock.tmp-78-1', 'locked/.b.tmp-1-1', 'locked/.lock'];
  for (const name of [...left, ...kept]) writeFileSync(join(run, name), '');
  await whileLocked(lockWithin(run), () => Promise.resolve());
  for (const name of left) expect([name, existsSync(join(run, name))]).toEqual([name, false]);
  for (const name of kept) expect([name, existsSync(join(run, name))]).toEqual([name, true]);
  const beside = ['.model.tmp-9-1', '.models.tmp-9-1'];
  for (const name of beside) writeFileSync(join(run, name), '');
  await whileLocked(lockBeside(join(run, 'model')), () => Promise.resolve());
  expect(beside.map((name) => existsSync(join(run, name)))).toEqual([false, true]);
  rmSync(run, { recursive: true });
});

it('what stands beside a folder has its name', () => {
  expect(lockBeside('/a/b/')).toBe('/a/.b.lock');
});

it.each([
  ['a process that no longer runs', { pid: 2 ** 22 + 1 }],
  ['a later process of the same number', { started: '1' }],
  ['an earlier boot of this machine', { boot: 'earlier' }],
])('taken over from %s', async (_, changed) => {
  await leave(changed);
  expect(await take()).toBe('done');
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ['another machine', { host: 'elsewhere' }],
  ['a container of the same name', { processSpace: 'pid:[1]' }],
])('%s keeps its lock while it gives signs of life', async (_, changed) => {
  await leave({ ...changed, pid: 2 ** 22 + 1 }, 200);
  await expect(take()).rejects.toThrow(/last sign of life \d+ s ago.*remove/);
  await leaveAgain(changed);
  expect(await take()).toBe('done');
});
async function leaveAgain(changed: object): Promise<void> {
  rmSync(file);
  await leave({ ...changed, pid: 2 ** 22 + 1 }, 400);
}

it('something else under its name is not removed', async () => {
  writeFileSync(file, 'mine');
  await expect(take()).rejects.toThrow('found something else');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

/** A process of its own that takes the lock, says so, and holds it until its input ends. */
async function holder(): Promise<{ child: ChildProcess; said: string }> {
  const module = JSON.stringify(require.resolve('./lock'));
  const program = `
    const swc = require('@swc/core'), path = require('node:path'), fs = require('node:fs');
    require.extensions['.ts'] = (m, name) => m._compile(swc.transformFileSync(name, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }).code, name);
    const resolve = require('module')._resolveFilename;
    require('module')._resolveFilename = (name, ...rest) => resolve(name.startsWith('.') ? name.replace(/\\.js$/, '') : name, ...rest);
    const { whileLocked } = require(${module});
    whileLocked(${JSON.stringify(file)}, () => { console.log('held'); return new Promise((done) => process.stdin.on('end', done).resume()); })
      .catch((error) => console.log(error.name + ': ' + error.message));`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'], cwd: __dirname });
  const [first] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, said: String(first) };
}

it('of two processes one works, the other says who does; a killed one leaves nothing to be done by hand', async () => {
  const first = await holder();
  expect(first.said).toBe('held\n');
  const second = await holder();
  expect(second.said).toContain(`LockedError: ${folder}: process ${first.child.pid} on `);
  await expect(take()).rejects.toThrow(LockedError);
  const end = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await end;
  const third = await holder();
  expect(third.said).toBe('held\n');
  const over = once(third.child, 'exit');
  third.child.stdin!.end();
  await over;
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);
