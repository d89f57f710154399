import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainRecipe } from './recipe.js';
import { openStepRecords } from './step-records.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-step-records-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of the folder that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${number}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return []; // the handle of the listing itself
    }
  });
}

const recipe = { metrics: { every: 1 }, steps: 2 } as TrainRecipe;
const open = (): ReturnType<typeof openStepRecords> => openStepRecords({ folder, recipe, onDamage: fail });
function fail(warning: string): never {
  throw new Error(warning);
}

(existsSync('/proc/self/fd') ? it : it.skip)('leaves no file open where one of its two cannot be opened', () => {
  writeFileSync(join(folder, 'tensorboard'), 'a file');
  expect(open).toThrow(/tensorboard/);
  expect(openFiles()).toEqual([]);
  rmSync(join(folder, 'tensorboard'));
  const records = open();
  expect(openFiles()).toHaveLength(2);
  records.close();
  expect(openFiles()).toEqual([]);
});
