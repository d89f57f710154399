import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-file.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-atomic-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Above the largest number of a process. */
const NO_PROCESS = 2 ** 22 + 1;

/** A temporary file so many seconds old. */
function left(name: string, seconds: number): string {
  const file = join(folder, name);
  writeFileSync(file, 'half');
  const then = Date.now() / 1000 - seconds;
  utimesSync(file, then, then);
  return name;
}

it('what killed processes left of a file goes with its next write, and nothing else', () => {
  const kept = [
    left(`.page.html.tmp-${NO_PROCESS}-1`, 2), // of another machine, perhaps
    left(`.page.html.tmp-${process.ppid}-1`, 600), // its process runs
    left(`.other.html.tmp-${NO_PROCESS}-1`, 600),
    left('.page.html.tmp-notes', 600),
  ];
  left(`.page.html.tmp-${NO_PROCESS}-2`, 600);
  writeFileAtomically(join(folder, 'page.html'), 'whole');
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe('whole');
  expect(readdirSync(folder).sort()).toEqual([...kept, 'page.html'].sort());
});
