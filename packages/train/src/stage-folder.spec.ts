import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMetrics, UserError } from '@lethe/run';
import { stageRecords } from './stage-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-stage-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'metrics.jsonl');
const manifest = (content: string): void => writeFileSync(join(folder, 'manifest.json'), content);
const ended = (outcome: string | null): string => JSON.stringify({ launches: [{ outcome }], recipe: { steps: 3 } });

it('refuses the records of a finished run that end before its last step', () => {
  expect(stageRecords(folder)).toEqual([]);
  const metrics = openMetrics(file, 0);
  for (const step of [1, 2]) metrics.write({ step, loss: 1 / step });
  metrics.close();
  for (const text of [ended(null), ended('stopped by SIGINT'), ended('finished: at step 2 of 3, the goal'), '{']) {
    manifest(text);
    expect(stageRecords(folder).map(({ step }) => step)).toEqual([1, 2]);
  }
  manifest(ended('finished'));
  expect(() => stageRecords(folder)).toThrow(
    new UserError(
      `${file}: ends at step 2, and the run finished at step 3: records are lost; restore the file, or run it again`,
    ),
  );
  const more = openMetrics(file, 3);
  more.write({ step: 3, loss: 0.1 });
  more.close();
  expect(stageRecords(folder)).toHaveLength(3);
});
