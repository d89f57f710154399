import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeFileAtomically, writeFolderAtomically } from './atomic-file.js';
import { temporaryPath } from './temporary-path.js';

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
  const mine = basename(temporaryPath(join(folder, 'page.html')));
  const dead = mine.replace(/\d+-\d+$/, `${NO_PROCESS}-1`);
  const kept = [
    left(mine, 600),
    left(mine.replace(/tmp-[0-9a-f]{8}/, 'tmp-00000000'), 2), // of another machine
    left(`.page.html.tmp-${NO_PROCESS}-1`, 2), // of an earlier version, perhaps of another machine
    left(dead.replace('page', 'other'), 600),
    left('.page.html.tmp-notes', 600),
  ];
  left(dead, 0);
  left(mine.replace(/-\d+(-\d+-\d+)$/, '-1$1'), 0); // of an earlier process of the same number
  left(mine.replace(/tmp-[0-9a-f]{8}/, 'tmp-00000001'), 600);
  left(`.page.html.tmp-${NO_PROCESS}-2`, 600);
  writeFileAtomically(join(folder, 'page.html'), 'whole');
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe('whole');
  expect(readdirSync(folder).sort()).toEqual([...kept, 'page.html'].sort());
});

it.each([false, true])('a folder whose name the disk does not keep is not there (replaced: %s)', async (replace) => {
  const at = mkdtempSync(join(folder, 'swap-'));
  const path = join(at, 'model');
  const write = (content: string) => (to: string) => writeFileSync(join(to, 'weights'), content);
  if (replace) await writeFolderAtomically(path, write('old'), { list: 'none' });
  const sync = jest.spyOn(jest.requireActual<typeof import('node:fs')>('node:fs'), 'fsyncSync');
  sync.mockImplementation((handle) => {
    if (readlinkSync(`/proc/self/fd/${handle}`) === at)
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', syscall: 'fsync' });
  });
  await expect(writeFolderAtomically(path, write('new'), { replace, list: 'none' })).rejects.toThrow('disk reports');
  sync.mockRestore();
  expect(readdirSync(at)).toEqual(replace ? ['model'] : []);
  if (replace) expect(readFileSync(join(path, 'weights'), 'utf8')).toBe('old');
});
