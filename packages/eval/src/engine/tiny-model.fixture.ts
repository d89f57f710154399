import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };

/** What specs ask: a small model with random weights, its tokenizer, and a folder that goes with the spec. */
export interface TinyModel {
  model: Llama;
  tokenizer: Tokenizer;
  folder: string;
}

/** Makes one before the tests of a spec, and disposes of it after them; its keys are there within tests. */
export function tinyModel(): TinyModel {
  const tiny = { folder: mkdtempSync(join(tmpdir(), 'lethe-eval-')) } as TinyModel;
  beforeAll(async () => {
    await useDevice('lethe-cpu');
    tiny.tokenizer = await trainTokenizer(['a b c'], { vocabSize: 262, folder: join(tiny.folder, 'tokenizer') });
    tiny.model = initializeLlama(baselm({ ...SIZES, vocabSize: 262, maxPositions: 96, initializerRange: 0.5 }), 3);
  }, 60_000);
  afterAll(() => {
    tiny.model.dispose();
    rmSync(tiny.folder, { recursive: true });
  });
  return tiny;
}
