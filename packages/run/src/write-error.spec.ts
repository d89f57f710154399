import { openSync, closeSync, writeSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder, writeFolderAtomically } from './atomic-file.js';
import { temporaryPath } from './temporary-path.js';
import { UserError } from './user-error.js';
import { explainWriteError, WriteError, writeText, writing } from './write-error.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-write-'));
afterAll(() => rmSync(folder, { recursive: true }));
const refused = (code: string): Error =>
  Object.assign(new Error(`${code}: refused, write`), { code, syscall: 'write' });

it.each([
  [
    'ENOSPC',
    /^FILE: the disk is full: 700 bytes to write, \d+ bytes free \(ENOSPC: .*\)\. What was finished .*; make room, and/,
  ],
  ['EDQUOT', /^FILE: the quota of disk space is used up \(.*raise the quota, and the same command goes on/],
  ['EFBIG', /^FILE: larger than the system lets a file be \(.*ulimit -f/],
  ['EMFILE', /^FILE: too many open files \(.*ulimit -n 4096/],
  ['ENFILE', /^FILE: too many open files in the whole system/],
  ['EIO', /^FILE: the disk reports an error \(.*check the disk/],
  ['EROFS', /^FILE: the file system is read-only \(.*take another folder/],
])('%s says where, what is safe and how to go on', (code, message) => {
  const told = explainWriteError(refused(code), join(folder, 'x'), 700) as Error;
  expect(told).toBeInstanceOf(WriteError);
  expect(told.message.replace(join(folder, 'x'), 'FILE')).toMatch(message);
  expect(told.message).toMatch(/What was finished before is whole; .*the same command goes on from there$/);
  expect(told.cause).toMatchObject({ code });
});

it.each([
  ['Unknown system error -122', 'Unknown system error -122'],
  ['UNKNOWN', 'unknown error'],
])('knows a quota by its number, for which Node has no name but %s', (unknown, says) => {
  const error = Object.assign(new Error(`${unknown}: ${says}, write`), {
    code: unknown,
    errno: -constants.errno.EDQUOT,
  });
  const told = explainWriteError(error, 'x') as WriteError;
  expect(told.message).toMatch(/^x: the quota of disk space is used up \(EDQUOT(: EDQUOT)?, write\)/);
  expect(told.code).toBe('EDQUOT');
});

it('needs neither a size nor a folder that is there', () => {
  const told = explainWriteError(refused('ENOSPC'), '/nowhere/at/all') as Error;
  expect(told.message).toMatch(/^\/nowhere\/at\/all: the disk is full: \d+ bytes free \(ENOSPC/);
});

it('tells how much was to be written also where that is done later, and of a file that is not whole its lasting name', async () => {
  const page = join(folder, 'page.html');
  const later = writing(temporaryPath(page), () => Promise.reject(refused('ENOSPC')), 7);
  await expect(later).rejects.toThrow(`${page}: the disk is full: 7 bytes to write, `);
  expect(await writing(page, () => Promise.resolve('done'))).toBe('done');
  const failing = jest.spyOn(jest.requireActual<typeof import('node:fs')>('node:fs'), 'writeFileSync');
  failing.mockImplementation(() => {
    throw refused('ENOSPC');
  });
  expect(() => writeText(page, 'f\u00fcr')).toThrow(`${page}: the disk is full: 4 bytes to write, `);
  failing.mockRestore();
  closeSync(openSync(page, 'w'));
  const copy = Object.assign(refused('ENOSPC'), { syscall: 'copyfile', path: page });
  expect((explainWriteError(copy, 'copies') as Error).message).toContain(
    'copies: the disk is full: 0 bytes to write, ',
  );
  rmSync(page);
});

it('leaves other errors, and those that are told already, as they are', () => {
  for (const error of [refused('ENOENT'), new Error('a defect'), new UserError('a mistake'), 'a text'])
    expect(explainWriteError(error, 'x')).toBe(error);
  const once = explainWriteError(refused('EIO'), 'x');
  expect(explainWriteError(once, 'y')).toBe(once);
});

const full = existsSync('/dev/full') ? it : it.skip;
full('a device that is full refuses as a disk does', () => {
  const handle = openSync('/dev/full', 'w');
  expect(() => writing('/dev/full', () => writeSync(handle, 'text'), 4)).toThrow(
    /^\/dev\/full: the disk is full: 4 bytes/,
  );
  closeSync(handle);
});

it('makes a folder with those above it, tells the highest that it made, and refuses a file in its place', () => {
  const deep = join(folder, 'a', 'b', 'c');
  expect(makeFolder(deep)).toBe(join(folder, 'a'));
  expect([makeFolder(deep), makeFolder(folder), existsSync(deep)]).toEqual([undefined, undefined, true]);
  closeSync(openSync(join(folder, 'file'), 'w'));
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(folder, 'file', 'b'))).toThrow(/ENOTDIR/);
  for (const name of ['a', 'file']) rmSync(join(folder, name), { recursive: true });
});

it('a folder whose writer is refused names itself, and leaves nothing', async () => {
  const path = join(folder, 'checkpoint');
  const write = (): void => {
    throw refused('ENOSPC');
  };
  await expect(writeFolderAtomically(path, write)).rejects.toThrow(`${path}: the disk is full`);
  expect(readdirSync(folder)).toEqual([]);
});
