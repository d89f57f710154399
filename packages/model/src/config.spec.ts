import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baselm, type LlamaConfig } from './config.js';
import { parseConfig, readConfig } from './config-reader.js';
import { toHuggingFaceConfig } from './config-writer.js';
import { countParameters, parameterSpecs } from './parameter-names.js';

const YARN = {
  kind: 'yarn',
  factor: 4,
  betaFast: 32,
  betaSlow: 1,
  originalMaxPositions: 1024,
  truncate: true,
} as const;
const llama = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 512,
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  bos_token_id: 1,
  eos_token_id: [2, 3],
};

describe('parseConfig', () => {
  it('reads a Llama and fills what is absent', () => {
    expect(parseConfig({ ...llama, rope_scaling: null, hidden_act: 'silu', torch_dtype: 'bfloat16' })).toEqual({
      ...baselm(),
      vocabSize: 512,
      hiddenSize: 64,
      intermediateSize: 172,
      numLayers: 5,
      numHeads: 8,
      numKeyValueHeads: 4,
      headDim: 8,
      maxPositions: 512,
      bosTokenId: 1,
      eosTokenIds: [2, 3],
      dtype: 'bfloat16',
    } satisfies LlamaConfig);
  });

  it('reads the rope keys of transformers 4 and 5 alike', () => {
    const llama3 = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const old = parseConfig({ ...llama, rope_theta: 5e5, rope_scaling: llama3 });
    expect(old.ropeScaling).toEqual({
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    });
    expect(old.ropeTheta).toBe(5e5);
    expect(parseConfig({ ...llama, rope_parameters: { ...llama3, rope_theta: 5e5 } })).toEqual(old);
    expect(parseConfig({ ...llama, rope_parameters: { rope_type: 'default', rope_theta: 7 } }).ropeTheta).toBe(7);
    expect(parseConfig({ ...llama, rope_scaling: { type: 'linear', factor: 2 } }).ropeScaling).toEqual({
      kind: 'linear',
      factor: 2,
    });
  });

  it('takes rope_scaling before rope_parameters, and the base from the one it takes', () => {
    const ropeOf = (keys: Record<string, unknown>) => {
      const { ropeTheta, ropeScaling } = parseConfig({ ...llama, ...keys });
      return [ropeTheta, ropeScaling];
    };
    const linear = { type: 'linear', factor: 2 };
    const parameters = { rope_type: 'default', rope_theta: 5e5 };
    const scaled = { kind: 'linear', factor: 2 };
    expect(ropeOf({ rope_scaling: linear, rope_parameters: parameters })).toEqual([10000, scaled]);
    expect(ropeOf({ rope_scaling: linear, rope_parameters: parameters, rope_theta: 7 })).toEqual([7, scaled]);
    expect(ropeOf({ rope_scaling: {}, rope_parameters: parameters })).toEqual([5e5, null]);
    expect(ropeOf({ rope_scaling: null, rope_parameters: parameters })).toEqual([5e5, null]);
    expect(ropeOf({ rope_scaling: { type: 'yarn', factor: null, original_max_position_embeddings: 128 } })).toEqual([
      10000,
      { ...YARN, originalMaxPositions: 128, attentionFactor: 0.1 * Math.log(4) + 1 },
    ]);
    const scales = { mscale: 1, mscale_all_dim: 0.5, beta_fast: 8, truncate: false };
    const yarn = { rope_type: 'yarn', factor: 4, ...scales };
    const [, read] = ropeOf({ rope_scaling: yarn, original_max_position_embeddings: 64 });
    const attentionFactor = (0.1 * Math.log(4) + 1) / (0.05 * Math.log(4) + 1);
    expect(read).toEqual({ ...YARN, originalMaxPositions: 64, betaFast: 8, truncate: false, attentionFactor });
  });

  it('reads what transformers takes for nothing as it does', () => {
    const ropeOf = (rope_scaling: object) => parseConfig({ ...llama, rope_scaling }).ropeScaling;
    expect(ropeOf({ rope_theta: 7 })).toBeNull();
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64, beta_fast: 0, beta_slow: 0 };
    expect(ropeOf(yarn)).toMatchObject({ betaFast: 32, betaSlow: 1 });
    // 0.1 ln(factor) + 1 where a context is stretched, and 1 where it is not.
    expect(ropeOf(yarn)).toMatchObject({ attentionFactor: 0.1 * Math.log(4) + 1 });
    expect(ropeOf({ ...yarn, factor: 0.5 })).toMatchObject({ attentionFactor: 1 });
  });

  it('takes any dtype, which decides only what an export writes', () => {
    const dtypeOf = (keys: Record<string, unknown>) => parseConfig({ ...llama, ...keys }).dtype;
    expect([{ torch_dtype: 'torch.float16' }, { dtype: 'bfloat16' }, { torch_dtype: 'auto' }, {}].map(dtypeOf)).toEqual(
      ['float16', 'bfloat16', 'float32', 'float32'],
    );
  });

  it('knows the biases, norms, windows and head sizes of each family', () => {
    const of = (architecture: string, keys = {}) => {
      const { family, attentionBias, attentionOutputBias, qkNorm, slidingWindow, headDim } = parseConfig({
        ...llama,
        architectures: [architecture],
        ...keys,
      });
      return [family, attentionBias, attentionOutputBias, qkNorm, slidingWindow, headDim];
    };
    expect(of('LlamaForCausalLM', { attention_bias: true })).toEqual(['llama', true, true, false, null, 8]);
    expect(of('MistralForCausalLM')).toEqual(['mistral', false, false, false, 4096, 8]);
    expect(of('MistralForCausalLM', { sliding_window: null })).toEqual(['mistral', false, false, false, null, 8]);
    expect(of('Qwen2ForCausalLM', { use_sliding_window: false, sliding_window: 9 })).toEqual([
      'qwen2',
      true,
      false,
      false,
      null,
      8,
    ]);
    expect(of('Qwen3ForCausalLM', { use_sliding_window: true, sliding_window: 9, max_window_layers: 0 })).toEqual([
      'qwen3',
      false,
      false,
      true,
      9,
      128,
    ]);
  });

  it.each([
    [{ architectures: ['GPT2LMHeadModel'] }, 'x/config.json: architectures: expected one of LlamaForCausalLM, '],
    [{ architectures: ['LlamaForCausalLM', 'Other'] }, 'architectures: expected one of LlamaForCausalLM, '],
    [{ architectures: 'LlamaForCausalLM' }, 'architectures: expected one of LlamaForCausalLM, '],
    [
      { rope_scaling: { rope_type: 'default', partial_rotary_factor: 0.5 } },
      'rope_scaling: partial_rotary_factor: expected 1 (whole heads are rotated), received 0.5',
    ],
    [{ architectures: undefined, model_type: 'gemma' }, 'model_type: expected one of llama, mistral, qwen2, qwen3'],
    [{ hidden_act: 'gelu' }, 'x/config.json: hidden_act: expected "silu", received "gelu"'],
    [{ hidden_size: 63 }, 'hidden_size: expected a multiple of num_attention_heads, or a head_dim, received 63'],
    [{ num_key_value_heads: 3 }, 'num_key_value_heads: expected a divisor of num_attention_heads 8, received 3'],
    [{ head_dim: 7 }, 'head_dim: expected an even number'],
    [{ vocab_size: undefined }, 'vocab_size: expected an integer of at least 1, received nothing (the key is missing)'],
    [{ num_hidden_layers: 2.5 }, 'num_hidden_layers: expected an integer of at least 1, received 2.5'],
    [{ vocab_size: 2 ** 31 }, 'vocab_size: expected an integer'],
    [{ rms_norm_eps: '1e-5' }, 'rms_norm_eps: expected a number above 0, received "1e-5"'],
    [{ rope_theta: -1 }, 'rope_theta: expected a number above 0'],
    [
      { rope_scaling: { rope_type: 'longrope', factor: 4 } },
      'config.json: rope_scaling: rope_type: expected "default", "linear", "dynamic", "llama3" or "yarn"',
    ],
    [{ rope_scaling: { rope_type: 'yarn' } }, 'rope_scaling: factor: expected a number above 0, received nothing'],
    [
      { rope_parameters: { full_attention: { rope_theta: 7 } } },
      'rope_parameters: full_attention: expected one rotary embedding for all layers',
    ],
    [{ rope_scaling: { type: 'su' } }, 'rope_scaling: type: expected'],
    [{ rope_scaling: { type: 'linear' } }, 'rope_scaling: factor: expected a number above 0, received nothing'],
    [{ rope_scaling: 'linear' }, 'rope_scaling: expected a mapping, received "linear"'],
    [
      { rope_parameters: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1 } },
      'rope_parameters: high_freq_factor: expected more than low_freq_factor 4, received 1',
    ],
    [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor: expected 1'],
    [{ quantization_config: { bits: 4 } }, 'quantization_config: expected weights that are not quantised'],
    [{ eos_token_id: 'end' }, 'eos_token_id: expected a token id'],
    [{ tie_word_embeddings: 1 }, 'tie_word_embeddings: expected true or false'],
    [
      { architectures: ['Qwen2ForCausalLM'], use_sliding_window: true, layer_types: ['full_attention'] },
      'layer_types: expected a list of 5 of "sliding_attention" and "full_attention"',
    ],
    [
      { architectures: ['Qwen3ForCausalLM'], layer_types: Array(5).fill('sliding_attention') },
      'layer_types: expected "full_attention" alone, unless use_sliding_window is true',
    ],
  ])('refuses %j', (keys, message) => {
    expect(() => parseConfig({ ...llama, ...keys }, 'x/config.json')).toThrow(message);
  });
});

describe('readConfig', () => {
  it('names a file that is missing, not JSON or not a mapping', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    const file = join(folder, 'config.json');
    expect(() => readConfig(file)).toThrow(
      "config.json: cannot read the model's config: there is no such file or folder; check the path (ENOENT)",
    );
    writeFileSync(file, '{');
    expect(() => readConfig(file)).toThrow('config.json: cannot read');
    writeFileSync(file, '[]');
    expect(() => readConfig(file)).toThrow('config.json: expected a mapping, received []');
    rmSync(folder, { recursive: true });
  });
});

describe('toHuggingFaceConfig', () => {
  it.each<Partial<LlamaConfig>>([
    { tieEmbeddings: true, eosTokenIds: [], bosTokenId: null },
    { attentionBias: true, attentionOutputBias: true, mlpBias: true, ropeScaling: { kind: 'dynamic', factor: 2 } },
    { family: 'mistral', slidingWindow: 1024, numKeyValueHeads: 8, eosTokenIds: [2, 7] },
    { family: 'mistral', slidingWindow: null },
    { family: 'qwen2', attentionBias: true, dtype: 'bfloat16' },
    { family: 'qwen3', qkNorm: true, headDim: 128, slidingWindow: 77 },
    { family: 'qwen3', qkNorm: true, headDim: 128, slidingWindow: 77, fullLayers: [0, 1] },
    { family: 'qwen3', qkNorm: true, headDim: 128, slidingWindow: 77, fullLayers: [1, 3, 5] },
    { ropeScaling: { ...YARN, attentionFactor: 0.1 * Math.log(4) + 1 } },
    { ropeScaling: { ...YARN, attentionFactor: 1.5, betaFast: 16, truncate: false } },
    { ropeScaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 } },
  ])('is read back: %j', (overrides) => {
    const config = baselm(overrides);
    expect(parseConfig(JSON.parse(JSON.stringify(toHuggingFaceConfig(config))) as never)).toEqual(config);
  });
});

describe('parameterSpecs', () => {
  it('lists names and shapes in the order of the computation', () => {
    const config = parseConfig({ ...llama, architectures: ['Qwen2ForCausalLM'], num_hidden_layers: 1 });
    expect(parameterSpecs(config).map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
      'model.embed_tokens.weight 512x64',
      'model.layers.0.input_layernorm.weight 64',
      'model.layers.0.self_attn.q_proj.weight 64x64',
      'model.layers.0.self_attn.q_proj.bias 64',
      'model.layers.0.self_attn.k_proj.weight 32x64',
      'model.layers.0.self_attn.k_proj.bias 32',
      'model.layers.0.self_attn.v_proj.weight 32x64',
      'model.layers.0.self_attn.v_proj.bias 32',
      'model.layers.0.self_attn.o_proj.weight 64x64',
      'model.layers.0.post_attention_layernorm.weight 64',
      'model.layers.0.mlp.gate_proj.weight 172x64',
      'model.layers.0.mlp.up_proj.weight 172x64',
      'model.layers.0.mlp.down_proj.weight 64x172',
      'model.norm.weight 64',
      'lm_head.weight 512x64',
    ]);
  });

  it('counts: the BaseLM has 1.88 billion with an untied head of 64,000', () => {
    // 2 V D + L (4 D^2 + 3 D F + 2 D) + D
    expect(countParameters(baselm())).toBe(2 * 64000 * 2048 + 32 * (4 * 2048 ** 2 + 3 * 2048 * 5504 + 2 * 2048) + 2048);
    expect(countParameters(baselm())).toBe(1881278464);
    expect(countParameters(baselm({ tieEmbeddings: true }))).toBe(1881278464 - 64000 * 2048);
  });
});

it.each([
  [[], null],
  [[2], 2],
  [
    [2, 5],
    [2, 5],
  ],
])('end tokens %j are written as %j', (eosTokenIds, written) => {
  expect(toHuggingFaceConfig(baselm({ eosTokenIds }))).toMatchObject({ eos_token_id: written });
});
