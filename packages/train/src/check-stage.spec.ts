import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@lethe/run';
import { checkStage } from './check-stage.js';
import { trainRecipeSchema } from './recipe.js';
import { stageFolders, stageMetrics, stageRecords } from './stage-folder.js';

let runs: string;
beforeEach(() => (runs = mkdtempSync(join(tmpdir(), 'lethe-check-'))));
afterEach(() => rmSync(runs, { recursive: true }));

const logger = new Proxy({}, { get: () => () => undefined }) as Logger;
const recipeOf = (init: string) =>
  trainRecipeSchema.parse({
    name: 'a',
    stage: 'refine',
    runs,
    model: { init },
    data: { rowLength: 8, replay: [{ shards: join(runs, 'no-shards') }] },
    batch: { replayRows: 1 },
    steps: 1,
  });

it('a run that has not begun is checked by what it starts from', async () => {
  const missing = join(runs, 'no-model');
  await expect(checkStage(recipeOf(missing), logger)).rejects.toThrow(missing);
});

it('the records of a run are none where nothing was written, and have step 0 only as a validation', () => {
  const { folder } = stageFolders(recipeOf('x'));
  expect(stageRecords(folder)).toEqual([]);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'metrics.jsonl');
  writeFileSync(file, '');
  expect(stageRecords(folder)).toEqual([]);
  writeFileSync(file, '{"step":0,"validation":{"replay":2}}\n{"step":1,"loss":3}\n');
  expect(stageRecords(folder).map(({ step }) => step)).toEqual([0, 1]);
  expect(stageMetrics(folder).map(({ step }) => step)).toEqual([1]);
});
