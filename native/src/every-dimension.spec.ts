import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

// A fault of the processor would end this process, so the calls are made in another.
it('every operator takes or refuses dimensions of 0 and 1, on the CPU as on the reference device', () => {
  const script = join(dirname(__filename), 'every-dimension.mjs');
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  expect(Number(/^(\d+) calls$/m.exec(stdout)![1])).toBeGreaterThan(20_000);
}, 120_000);
