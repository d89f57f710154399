import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baselm, initializeLlama } from '@lethe/model';
import { LockedError } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { loadModel, saveModel } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-save-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('of two that write to one folder at once the second is refused, and the first one’s model is whole', async () => {
  await useDevice('lethe-cpu');
  const sizes = { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, numKeyValueHeads: 2, vocabSize: 11 };
  const models = [1, 2].map((seed) => initializeLlama(baselm({ ...sizes, maxPositions: 16 }), seed));
  const out = join(folder, 'model');
  const [first, second] = await Promise.allSettled(models.map((model) => saveModel(model, out)));
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: expect.any(LockedError) as Error });
  await expect(saveModel(models[1], out)).rejects.toThrow(`${out}: expected a folder that is absent or empty`);
  await saveModel(models[1], out, { replace: true });
  expect(readdirSync(folder)).toEqual(['model']);
  expect(readdirSync(out)).toContain('model.safetensors');
  for (const model of models) model.dispose();
  await expect(loadModel(out)).rejects.toThrow('tokenizer');
});
