import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type StopRequest } from '@lethe/run';
import { QUICK } from './regime.js';
import { runStudy } from './run-paper.js';

it('refuses a folder of another regime or precision: its measures would be read as this one\u2019s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-paper-'));
  try {
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ regime: QUICK, precision: 'bf16' }));
    const options = {
      folder,
      seeds: [3],
      jobs: 1,
      precision: 'fp32',
      logger: silentLogger,
      stop: {} as StopRequest,
    } as const;
    await expect(runStudy('claims', QUICK, options)).rejects.toThrow(/another regime or precision .*--out/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
