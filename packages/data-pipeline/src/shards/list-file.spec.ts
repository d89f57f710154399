import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WriteError } from '@lethe/run';
import { ListFile } from './list-file.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-list-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('holds every line, and is not there without one', () => {
  const file = join(folder, 'list.jsonl');
  const none = new ListFile(file);
  none.close();
  expect(existsSync(file)).toBe(false);
  const list = new ListFile(file);
  const rows = Array.from({ length: 3000 }, (_, line) => ({ line, text: 'é'.repeat(line % 50) }));
  for (const row of rows) list.add(row);
  list.close();
  list.close();
  expect(readFileSync(file, 'utf8')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});

(existsSync('/dev/full') ? it : it.skip)('says so where the disk is full, as a line is added or at the end', () => {
  const list = new ListFile('/dev/full');
  expect(() => list.add('x'.repeat(100_000))).toThrow(WriteError);
  const short = new ListFile('/dev/full');
  short.add('x');
  expect(() => short.close()).toThrow(/^\/dev\/full: the disk is full/);
});
