import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { openModelFolder } from './checkpoint-files.js';
import { baselm } from './config.js';
import { exportModelFolder } from './export-model.js';
import { parameterSpecs } from './parameter-names.js';
import { writeSafetensors } from './safetensors/writer.js';

const config = baselm({
  vocabSize: 11,
  hiddenSize: 8,
  intermediateSize: 12,
  numLayers: 2,
  numHeads: 4,
  numKeyValueHeads: 2,
  headDim: 2,
  maxPositions: 16,
});
const tensors = parameterSpecs(config).map(({ name, shape }) => {
  const random = seededRandom(1, name);
  return { name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()) };
});

let root: string;
let out: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'export-'));
  out = join(root, 'model');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('exportModelFolder', () => {
  it('writes a folder that opens with the same config and weights', async () => {
    const tokenizerFrom = join(root, 'tokenizer');
    mkdirSync(tokenizerFrom);
    writeFileSync(join(tokenizerFrom, 'tokenizer.json'), '{"t":1}');
    writeFileSync(join(tokenizerFrom, 'unrelated.txt'), '');
    const rawConfig = { pad_token_id: 0, rope_parameters: { rope_type: 'yarn' }, dtype: 'bfloat16' };
    await exportModelFolder({ config, rawConfig, tensors: [...tensors].reverse(), tokenizerFrom, out });
    expect(readdirSync(out).sort()).toEqual([
      'SHA256SUMS',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    const model = openModelFolder(out);
    expect(model.config).toEqual(config);
    expect(model.rawConfig['pad_token_id']).toBe(0);
    expect(model.rawConfig['rope_parameters']).toBeUndefined();
    expect(model.tokenizerFiles).toEqual([join(out, 'tokenizer.json')]);
    for (const { name, data } of tensors) expect(model.tensors.readFloat32(name)).toEqual(data);
    model.tensors.close();
    expect(JSON.parse(readFileSync(join(out, 'generation_config.json'), 'utf8'))).toMatchObject({ eos_token_id: 2 });
  });

  it('takes tensors as they come, and shards and rounds them', async () => {
    async function* stream() {
      for (const tensor of tensors) yield await Promise.resolve(tensor);
    }
    await exportModelFolder({ config, tensors: stream(), dtype: 'bfloat16', maxShardBytes: 400, out });
    expect(readdirSync(out).filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(2);
    const model = openModelFolder(out);
    expect(model.config.dtype).toBe('bfloat16');
    const [{ name, data }] = tensors;
    model.tensors.readFloat32(name).forEach((value, i) => {
      expect(Math.abs(value - data[i])).toBeLessThanOrEqual(Math.abs(data[i]) / 256);
    });
    model.tensors.close();
  });

  it('leaves nothing half-written', async () => {
    const missing = tensors.filter(({ name }) => name !== 'model.norm.weight');
    await expect(exportModelFolder({ config, tensors: missing, out })).rejects.toThrow('model.norm.weight');
    await expect(exportModelFolder({ config, tensors, out, tokenizerFrom: join(root, 'no') })).rejects.toThrow(
      'no: exp',
    );
    expect(readdirSync(root)).toEqual([]);
    await exportModelFolder({ config, tensors, out });
    await expect(exportModelFolder({ config, tensors, out })).rejects.toThrow('absent or empty');
    await exportModelFolder({ config, tensors, out, replace: true });
    expect(existsSync(join(out, 'config.json'))).toBe(true);
  });
});

describe('openModelFolder', () => {
  const weights = (list: typeof tensors) => writeSafetensors(join(out, 'model.safetensors'), list);
  beforeEach(() => exportModelFolder({ config, tensors, out }));

  it('tolerates rotary buffers, and a stored head when it is tied', () => {
    const buffer = { name: 'model.layers.0.self_attn.rotary_emb.inv_freq', shape: [1], data: Float32Array.of(1) };
    weights([...tensors, buffer]);
    openModelFolder(out).tensors.close();
    const raw = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as object;
    writeFileSync(join(out, 'config.json'), JSON.stringify({ ...raw, tie_word_embeddings: true }));
    openModelFolder(out).tensors.close();
    weights(tensors.filter(({ name }) => name !== 'model.embed_tokens.weight')); // the head stands for both
    const { tensors: source } = openModelFolder(out);
    expect(source.readFloat32('model.embed_tokens.weight')).toEqual(source.readFloat32('lm_head.weight'));
    source.close();
  });

  it('names missing, extra and misshapen tensors', () => {
    weights(tensors.filter(({ name }) => name !== 'lm_head.weight'));
    expect(() => openModelFolder(out)).toThrow(/model: the weights lack 'lm_head\.weight' \(is "tie_word_embeddings"/);
    weights([...tensors, { name: 'extra', shape: [1], data: Float32Array.of(1) }]);
    expect(() => openModelFolder(out)).toThrow("tensors that config.json does not ask for: 'extra'");
    weights(tensors.map((tensor) => (tensor.name === 'model.norm.weight' ? { ...tensor, shape: [2, 4] } : tensor)));
    expect(() => openModelFolder(out)).toThrow(
      "tensor 'model.norm.weight': expected shape [8] by config.json, received [2, 4]",
    );
    weights(tensors.slice(8));
    expect(() => openModelFolder(out)).toThrow(/'model.embed_tokens.weight', .* and 3 more/);
  });

  it('refuses pickle and empty folders', () => {
    rmSync(join(out, 'model.safetensors'));
    expect(() => openModelFolder(out)).toThrow(
      'expected model.safetensors or model.safetensors.index.json, found neither',
    );
    writeFileSync(join(out, 'pytorch_model.bin'), '');
    expect(() => openModelFolder(out)).toThrow('pickle files can run code');
    expect(() => openModelFolder(join(root, 'absent'))).toThrow("cannot read the model's config");
  });
});
