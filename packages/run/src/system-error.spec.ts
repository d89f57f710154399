import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainSystemError } from './system-error.js';
import { UserError } from './user-error.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-system-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
writeFileSync(at('file'), '');
symlinkSync(at('round'), at('round'));

it.each([
  [() => readFileSync(at('none')), /none: there is no such file or folder; check the path \(ENOENT\)$/],
  [() => readFileSync(at('file/x')), /file\/x: a part of the path is a file where a folder is expected/],
  [() => openSync(folder, 'w'), /: expected a file, received a folder; name a file in it \(EISDIR\)$/],
  [() => readdirSync(at('round')), /round: its links lead in a circle/],
  [() => mkdirSync(at('file')), /file: it is there already; take another name, or remove it \(EEXIST\)$/],
  [() => mkdirSync(''), /^an empty path; name a file or folder \(ENOENT\)$/],
  [() => readFileSync(at('x'.repeat(5000))), /^.{100,300}: the path is longer than the system allows; shorten it/],
])('a path that the system refuses is told in the user’s words: %#', (refused, message) => {
  let error: unknown;
  try {
    refused();
  } catch (thrown) {
    error = thrown;
  }
  const told = explainSystemError(error);
  expect(told).toBeInstanceOf(UserError);
  expect((told as Error).message).toMatch(message);
  expect((told as Error).message.length).toBeLessThan(300);
});

it('leaves other errors as they are', () => {
  for (const error of [new Error('a defect'), new UserError('a mistake'), 'a text', undefined])
    expect(explainSystemError(error)).toBe(error);
});
