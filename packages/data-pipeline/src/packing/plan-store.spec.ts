import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { openPlanFile } from './plan-store.js';

const folder = temporaryFolder();

it('takes a file that ends in zeros, as after a loss of power, for none', async () => {
  const file = path.join(folder.path, 'plan.bin');
  for (const length of [0, 4, 8, 64]) {
    writeFileSync(file, Buffer.alloc(length));
    expect(await openPlanFile(file, 'key')).toBeUndefined();
  }
});
