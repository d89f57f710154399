import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { findModelFiles, findTokenizerFiles, openModelFolder } from './checkpoint-files.js';
import { baselm } from './config.js';
import { toHuggingFaceConfig } from './config-writer.js';
import { countParameters, parameterSpecs } from './parameter-names.js';
import { writeSafetensors } from './safetensors/writer.js';

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

describe('the files of a model', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lethe-files-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text = ''): void => writeFileSync(join(folder, name), text);
  const found = (): string[] => findModelFiles(folder).map((file) => basename(file));
  const INDEX = 'model.safetensors.index.json';

  it('are its config and its weights, as far as they are there', () => {
    expect(found()).toEqual([]);
    write('config.json');
    expect(found()).toEqual(['config.json']);
    write('model.safetensors');
    write('tokenizer.json');
    expect(found()).toEqual(['config.json', 'model.safetensors']);
  });

  it('are the index and its shards where there is no single file', () => {
    write('config.json');
    write(INDEX, JSON.stringify({ weight_map: { a: 'one.safetensors', b: 'two.safetensors', c: 'one.safetensors' } }));
    write('one.safetensors');
    expect(found()).toEqual(['config.json', INDEX, 'one.safetensors']);
    write('two.safetensors');
    expect(found().sort()).toEqual(['config.json', INDEX, 'one.safetensors', 'two.safetensors'].sort());
    write('model.safetensors');
    expect(found()).toEqual(['config.json', 'model.safetensors']);
  });

  it('of its tokenizer are those that are there', () => {
    expect(findTokenizerFiles(folder)).toEqual([]);
    write('tokenizer.json');
    expect(findTokenizerFiles(folder)).toEqual([join(folder, 'tokenizer.json')]);
  });

  it('of its tokenizer are also its further chat templates', () => {
    mkdirSync(join(folder, 'additional_chat_templates'));
    for (const name of ['tools.jinja', 'brief.jinja', 'notes.txt']) write(join('additional_chat_templates', name));
    expect(findTokenizerFiles(folder).map((file) => basename(file))).toEqual(['brief.jinja', 'tools.jinja']);
  });

  it.each(['F32', 'BF16'] as const)('of a tied model may hold a head of its own in %s, which is then read', (dtype) => {
    const spec = { ...baselm(), vocabSize: 6, hiddenSize: 4, intermediateSize: 4, numLayers: 1, numHeads: 2 };
    const config = { ...spec, numKeyValueHeads: 1, headDim: 2, tieEmbeddings: true };
    write('config.json', JSON.stringify(toHuggingFaceConfig(config)));
    const values = (name: string, size: number) => Float32Array.from({ length: size }, (_, i) => (name + i).length);
    const save = (head: Float32Array): boolean => {
      const tensors = parameterSpecs(config).map(({ name, shape }) => ({
        name,
        shape,
        data: values(
          name,
          shape.reduce((a, b) => a * b, 1),
        ),
      }));
      writeSafetensors(
        join(folder, 'model.safetensors'),
        [...tensors, { name: 'lm_head.weight', shape: [6, 4], data: head }],
        { dtype },
      );
      const { config: read, tensors: source } = openModelFolder(folder);
      source.close();
      return read.tieEmbeddings;
    };
    const embedding = values('model.embed_tokens.weight', 24);
    expect(save(embedding)).toBe(true);
    expect(save(embedding.map((x, i) => (i === 23 ? x + 1 : x)))).toBe(false);
  });

  it('are refused with an adapter beside them, which transformers would add', () => {
    write('config.json', '{}');
    write('adapter_config.json', '{"peft_type":"LORA"}');
    expect(() => openModelFolder(folder)).toThrow(
      /an adapter \(LoRA\) belongs to this model.*merge the two with lethe export/,
    );
  });

  it('are refused by name where there are no weights', () => {
    write('config.json', JSON.stringify({ model_type: 'llama', hidden_size: 8 }));
    expect(() => openModelFolder(folder)).toThrow(folder);
  });
});
