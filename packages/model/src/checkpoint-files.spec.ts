import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openModelFolder } from './checkpoint-files.js';
import { countParameters, parameterSpecs } from './parameter-names.js';

// Folders that transformers wrote (scripts/goldens).
const models = join(__dirname, '..', '..', '..', 'tests', 'fixtures', 'goldens', 'models');
const names = readdirSync(models, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe('openModelFolder on what transformers wrote', () => {
  it.each(names)('%s', (name) => {
    const { config, tensors } = openModelFolder(join(models, name));
    const sizes = parameterSpecs(config).map((spec) => tensors.readFloat32(spec.name).length);
    expect(sizes.reduce((a, b) => a + b)).toBe(countParameters(config));
    const stored = [...tensors.tensors.values()].reduce((sum, { numElements }) => sum + numElements, 0);
    expect(stored).toBe(countParameters(config));
    tensors.close();
  });

  it('reads what sets each family apart', () => {
    const of = (name: string) => {
      const { config, tensors } = openModelFolder(join(models, name));
      tensors.close();
      return config;
    };
    expect(of('llama3-rope').ropeScaling).toMatchObject({ kind: 'llama3', originalMaxPositions: 32 });
    expect(of('llama3-rope').ropeTheta).toBe(500000);
    expect(of('llama-linear-rope').ropeScaling).toEqual({ kind: 'linear', factor: 4 });
    expect(of('llama-biases')).toMatchObject({ attentionBias: true, attentionOutputBias: true, mlpBias: true });
    expect(of('mistral-window')).toMatchObject({ family: 'mistral', slidingWindow: 5 });
    expect(of('qwen2')).toMatchObject({ attentionBias: true, attentionOutputBias: false, slidingWindow: null });
    expect(of('qwen3')).toMatchObject({ qkNorm: true, headDim: 6 });
    expect(of('llama-tied').tieEmbeddings).toBe(true);
  });
});
