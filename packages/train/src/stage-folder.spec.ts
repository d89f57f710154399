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

it('refuses the records of a run that end before it did, also where there are none', () => {
  expect(stageRecords(folder)).toEqual([]);
  const metrics = openMetrics(file, 0);
  for (const step of [1, 2]) metrics.write({ step, loss: 1 / step });
  metrics.close();
  for (const text of [ended(null), ended('stopped by SIGINT'), ended('finished: at step 2 of 3, the goal'), '{']) {
    manifest(text);
    expect(stageRecords(folder).map(({ step }) => step)).toEqual([1, 2]);
  }
  for (const [text, step] of [
    [ended('finished'), 3],
    [ended('finished: at step 4 of 9, the goal'), 4],
    [ended('exceeded: at step 5 of 9, the limit'), 5],
  ] as const) {
    manifest(text);
    expect(() => stageRecords(folder)).toThrow(
      new UserError(
        `${file}: ends at step 2, and the run ended at step ${step}: records are lost; restore the file, or run it again`,
      ),
    );
  }
  manifest(ended('finished'));
  const more = openMetrics(file, 3);
  more.write({ step: 3, loss: 0.1 });
  more.close();
  expect(stageRecords(folder)).toHaveLength(3);
  writeFileSync(file, '');
  expect(() => stageRecords(folder)).toThrow('metrics.jsonl: ends at step 0');
  rmSync(file);
  expect(() => stageRecords(folder)).toThrow('metrics.jsonl: ends at step 0');
});
