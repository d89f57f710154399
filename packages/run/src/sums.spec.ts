import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFolderAtomically } from './atomic-file.js';
import { requireSums, SUMS } from './sums.js';

const root = mkdtempSync(join(tmpdir(), 'lethe-sums-'));
const folder = join(root, 'model');
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(root, { recursive: true }));

beforeEach(() =>
  writeFolderAtomically(
    folder,
    (temporary) => {
      mkdirSync(join(temporary, 'more'));
      for (const name of [
        'config.json',
        'weights',
        'README.md',
        'tokenizer_config.json',
        'more/template.jinja',
        'more/tokenizer.json',
      ])
        writeFileSync(join(temporary, name), name);
    },
    { replace: true, list: 'sums' },
  ),
);

it('checks what was written, but what its owner edits, as sha256sum does', () => {
  expect(Object.keys(requireSums(folder))).toEqual(['config.json', 'more/tokenizer.json', 'weights']);
  appendFileSync(at('README.md'), 'of its owner');
  expect(requireSums(folder)['weights']).toMatch(/^9a129038[0-9a-f]{56}$/);
  const told = execFileSync('sha256sum', ['--check', SUMS], { cwd: folder, encoding: 'utf8' });
  expect(told).toBe('config.json: OK\nmore/tokenizer.json: OK\nweights: OK\n');
  rmSync(at(SUMS));
  expect(requireSums(folder)).toEqual({});
});

it('names the file that is another, and how to go on', () => {
  const bytes = readFileSync(at('weights'));
  bytes[3] ^= 1;
  writeFileSync(at('weights'), bytes);
  expect(() => requireSums(folder)).toThrow(
    new RegExp(
      `^${at('weights')}: was changed after it was written: .* with \\w{12}, not 9a129038\\w{4}; restore it; .* remove ${SUMS}`,
    ),
  );
  rmSync(at('weights'));
  expect(() => requireSums(folder)).toThrow(`${at('weights')}: there is no such file any more; restore it`);
  symlinkSync('/dev/zero', at('weights'));
  expect(() => requireSums(folder)).toThrow(`${at('weights')}: expected a file, found a device`);
});

it.each([
  ['a line that is none', 'weights\n'],
  ['a hash that is cut off', `${'0'.repeat(63)}  weights\n`],
  ['a line that is cut off', `${'0'.repeat(64)}  `],
  ['a file twice', undefined],
  ['a file of another folder', `${'0'.repeat(64)}  more/../../weights\n`],
  ['a path of the machine', `${'0'.repeat(64)}  /dev/zero\n`],
])('names %s in the list', (_case, more) => {
  appendFileSync(at(SUMS), more ?? readFileSync(at(SUMS)));
  expect(() => requireSums(folder)).toThrow(
    `${at(SUMS)}:4: expected the SHA-256 and the name of another file here; restore the list, or remove it`,
  );
});
