import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBytes, silentLogger } from '@lethe/run';
import { requireRoom } from './cache-room.js';
import { whileHolding } from './take-locks.js';

const folder = join(tmpdir(), 'lethe-not-there', '.original-0');
const GIB = 2 ** 30;

it('what is to be written must fit where it goes, all of it together', () => {
  const room = [
    { folder, rows: 10, bytes: 3 * GIB },
    { folder: join(tmpdir(), 'other'), rows: 20, bytes: 2 * GIB },
  ];
  expect(() => requireRoom(room, () => 5 * GIB)).not.toThrow();
  expect(() => requireRoom(room, () => 5 * GIB - 1)).toThrow(
    /^model\.original: cached: the hidden states of 30 rows take 5\.00 GiB, and .* has 5\.00 GiB free; make room, /,
  );
  expect(freeBytes(folder)).toBeGreaterThan(0);
});

it('a folder that cannot be written to is named, with the way out', async () => {
  const work = jest.fn();
  await expect(whileHolding(['/sys/.lock'], work, { logger: silentLogger })).rejects.toThrow(
    /^\/sys: cannot be written to .* copy the shards .* or set model\.original: live$/,
  );
  expect(work).not.toHaveBeenCalled();
});
