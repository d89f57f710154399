import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecipeDocument } from './recipe-document.js';
import { requireFile } from './regular-file.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

it('refuses what is read without end, or never, by name and with what it is', () => {
  expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0);
  symlinkSync('/dev/zero', at('zero'));
  for (const [file, message] of [
    [at('pipe'), 'found a pipe; write what it gives to a file first'],
    [at('zero'), 'found a device; correct the path, or the link that leads there'],
    [folder, 'found a directory; correct the path'],
  ])
    expect(() => requireFile(file)).toThrow(`${file}: expected a file, ${message}`);
});

it('leaves files, and what is not there, to whoever reads them', () => {
  writeFileSync(at('file'), '');
  symlinkSync(at('file'), at('link'));
  for (const name of ['file', 'link', 'nothing']) requireFile(at(name));
});

it('a recipe may not extend a device', () => {
  writeFileSync(at('recipe.yaml'), 'extends: /dev/zero\n');
  expect(() => readRecipeDocument(at('recipe.yaml'))).toThrow('/dev/zero: expected a file, found a device');
});
