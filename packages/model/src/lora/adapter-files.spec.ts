import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useDevice } from '@lethe/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { openModelFolder } from '../checkpoint-files.js';
import { baselm } from '../config.js';
import { initializeLlama } from '../initialize.js';
import { loadLlama, saveLlama } from '../load-llama.js';
import { createSafetensorsWriter } from '../safetensors/writer.js';
import { initializeAdapter } from './adapter.js';
import { readAdapter, writeAdapter } from './adapter-files.js';
import { exportMerged } from './merge.js';

const sizes = { hiddenSize: 8, intermediateSize: 12, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 4 };
const config = baselm({ ...sizes, vocabSize: 20 });
const settings = { rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'] as const };
const base = { name: 'hf/base', revision: 'abc' };
const folder = mkdtempSync(join(tmpdir(), 'lethe-adapter-'));
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  await useDevice('lethe-cpu');
  const model = initializeLlama(config, 1);
  await saveLlama(model, at('base'), { dtype: 'bfloat16' });
  model.dispose();
  const adapter = initializeAdapter(config, settings, 1);
  for (const { value } of adapter.parameters) value.assign(tf.add(value, 0.3));
  writeAdapter(adapter, at('adapter'), { ...settings, base });
  adapter.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

const written = (): Record<string, unknown> =>
  JSON.parse(readFileSync(at('adapter', 'adapter_config.json'), 'utf8')) as Record<string, unknown>;

/** The adapter's folder with other keys in its description. */
function changed(keys: Record<string, unknown>): string {
  mkdirSync(at('changed'), { recursive: true });
  writeFileSync(at('changed', 'adapter_config.json'), JSON.stringify({ ...written(), ...keys }));
  writeFileSync(at('changed', 'adapter_model.safetensors'), readFileSync(at('adapter', 'adapter_model.safetensors')));
  return at('changed');
}

it('is read as it was written', () => {
  const adapter = readAdapter(at('adapter'), config);
  expect(adapter.factor).toBe(2);
  expect(adapter.names).toHaveLength(4);
  expect(written()).toMatchObject({ base_model_name_or_path: 'hf/base', revision: 'abc', r: 2, lora_alpha: 4 });
  expect(readAdapter(changed({ use_rslora: true, lora_dropout: 0.1 }), config).factor).toBe(4 / Math.sqrt(2));
});

it.each([
  [{ peft_type: 'IA3' }, 'peft_type: expected "LORA", received "IA3"'],
  [{ use_dora: true }, 'use_dora: true is not supported; merge the adapter where it was made'],
  [{ bias: 'all' }, 'bias: expected "none", received "all"'],
  [{ modules_to_save: ['lm_head'] }, 'modules_to_save: ["lm_head"] is not supported'],
  [{ rank_pattern: { q_proj: 4 } }, 'rank_pattern: {"q_proj":4} is not supported'],
  [{ fan_in_fan_out: true }, 'fan_in_fan_out: true is not supported'],
  [
    { init_lora_weights: 'pissa' },
    'init_lora_weights: expected a start that leaves the base as it is, received "pissa"',
  ],
  [{ something_new: 3 }, 'something_new: 3 is not supported'],
  [{ r: 0 }, 'r: expected an integer of at least 1, received 0'],
  [{ lora_alpha: null }, 'lora_alpha: expected a number above 0, received nothing'],
  [{ r: 3 }, "model.layers.0.self_attn.q_proj.lora_A.weight': expected shape [3, 8], received [2, 8]"],
])('refuses by name what it does not compute: %j', (keys, message) => {
  expect(() => readAdapter(changed(keys), config)).toThrow(message);
});

it('refuses an adapter of another model, one without weights, and half of one', () => {
  expect(() => readAdapter(at('adapter'), { ...config, numLayers: 1 })).toThrow(
    "tensor 'base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight' belongs to no linear layer of this model's 1 decoder layers",
  );
  const half = changed({});
  const layout = [{ name: 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight', shape: [2, 8] }];
  const writer = createSafetensorsWriter(join(half, 'adapter_model.safetensors'), layout);
  writer.write({ ...layout[0], data: new Float32Array(16) });
  writer.finish();
  expect(() => readAdapter(half, config)).toThrow("q_proj.lora_B.weight': expected shape [8, 2], received nothing");
  rmSync(join(half, 'adapter_model.safetensors'));
  expect(() => readAdapter(half, config)).toThrow('expected adapter_model.safetensors, found none');
});

it('is no model by itself, nor read silently beside one', () => {
  expect(() => openModelFolder(at('adapter'))).toThrow(
    /holds a LoRA adapter and no model; merge it into its base with lethe export --model BASE --adapter/,
  );
  expect(() => loadLlama(at('adapter'))).toThrow('holds a LoRA adapter and no model');
});

it.each(['float32', 'bfloat16'] as const)('is added in fp32 and rounded once to %s', async (dtype) => {
  const adapter = readAdapter(at('adapter'), config);
  await exportMerged(at('base'), adapter, { out: at(`merged-${dtype}`), dtype });
  const [plain, merged] = [at('base'), at(`merged-${dtype}`)].map((from) => openModelFolder(from).tensors);
  for (const name of plain.tensors.keys()) {
    const delta = adapter.delta(name.replace(/\.weight$/, ''))?.dataSync();
    const expected = plain.readFloat32(name).map((value, i) => Math.fround(value + (delta?.[i] ?? 0)));
    const received = merged.readFloat32(name);
    expect(delta !== undefined).toBe(/(q_proj|down_proj)\.weight$/.test(name));
    if (dtype === 'float32') expect(received).toEqual(expected);
    else
      received.forEach((value, i) =>
        expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(2 ** -8 * Math.abs(expected[i])),
      );
  }
  adapter.dispose();
  expect(existsSync(at(`merged-${dtype}`, 'adapter_config.json'))).toBe(false);
});

it('is not lost where a model that it lies over is saved', async () => {
  const { model } = loadLlama(at('base'), { trainable: false });
  model.adapt(readAdapter(at('adapter'), model.config));
  await expect(saveLlama(model, at('never'))).rejects.toThrow('expected a model without an adapter');
  expect(existsSync(at('never'))).toBe(false);
  model.dispose();
});
