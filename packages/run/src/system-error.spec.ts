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
import { explainSystemError, readingProblem } from './system-error.js';
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
  [
    () => mkdirSync(at('file')),
    /file: expected a folder, found something else of that name; take another name \(EEXIST\)$/,
  ],
  [() => symlinkSync(at('file'), at('file')), /file: it is there already; take another name, or remove it \(EEXIST\)$/],
  [() => mkdirSync(at('a\0b')), /a\\x00b: a path cannot hold a NUL character; remove it$/],
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

it.each<[problem: string, () => unknown]>([
  ['there is no such file or folder; check the path (ENOENT)', () => readFileSync(at('none'))],
  ['expected a file, received a folder; name a file in it (EISDIR)', () => readFileSync(folder)],
  ['a path cannot hold a NUL character; remove it', () => readFileSync(at('a\0b'))],
  ['the file is cut off, damaged or another: write it anew', () => JSON.parse('{"a":')],
  ['expected JSON (Unexpected token', () => JSON.parse(`nothing\n${'x'.repeat(500)}`)],
  [
    "expected a list of 'launches'",
    () => {
      throw new Error("expected a list of 'launches'");
    },
  ],
])('what could not be read says why: %s', (problem, read) => {
  let cause: unknown;
  try {
    read();
  } catch (thrown) {
    cause = thrown;
  }
  expect(readingProblem(cause)).toContain(problem);
  expect(readingProblem(cause).length).toBeLessThan(250);
});

it('leaves other errors as they are', () => {
  for (const error of [new Error('a defect'), new UserError('a mistake'), 'a text', undefined])
    expect(explainSystemError(error)).toBe(error);
});
