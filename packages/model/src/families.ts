import type { LlamaConfig, ModelFamily } from './config.js';
import type { ConfigKeys } from './config-keys.js';
import { readQwenWindows, type Windows, writeQwenWindows } from './qwen-windows.js';

type Biases = Pick<LlamaConfig, 'attentionBias' | 'attentionOutputBias' | 'mlpBias'>;

/** What sets a family apart from the others: what its `config.json` leaves out, and what its class in transformers does. */
export interface Family {
  /** The class in transformers. */
  architecture: string;
  /** Whether `num_key_value_heads` may be absent: as many as query heads. */
  hasDefaultKeyValueHeads: boolean;
  /** Head size where `head_dim` is absent; otherwise hidden size by heads. */
  defaultHeadDim?: number;
  qkNorm: boolean;
  readBiases(keys: ConfigKeys): Biases;
  /** The keys of biases; only families that have them: those of Qwen2 and Mistral are fixed. */
  writeBiases(config: LlamaConfig): Record<string, unknown>;
  readWindows(keys: ConfigKeys, numLayers: number): Windows;
  writeWindows(config: LlamaConfig): Record<string, unknown>;
}

const noBiases: Biases = { attentionBias: false, attentionOutputBias: false, mlpBias: false };

/** Every family of models. */
export const FAMILIES: Readonly<Record<ModelFamily, Family>> = {
  llama: {
    architecture: 'LlamaForCausalLM',
    hasDefaultKeyValueHeads: true,
    qkNorm: false,
    readBiases: (keys) => {
      const attentionBias = keys.flag('attention_bias', false);
      return { attentionBias, attentionOutputBias: attentionBias, mlpBias: keys.flag('mlp_bias', false) };
    },
    writeBiases: ({ attentionBias, mlpBias }) => ({ attention_bias: attentionBias, mlp_bias: mlpBias }),
    readWindows: () => ({ slidingWindow: null, fullLayers: [] }),
    writeWindows: () => ({}),
  },
  mistral: {
    architecture: 'MistralForCausalLM',
    hasDefaultKeyValueHeads: false,
    qkNorm: false,
    readBiases: () => noBiases,
    writeBiases: () => ({}),
    // One for all layers, whatever layer_types says, as in transformers.
    readWindows: (keys) => {
      const isOff = keys.has('sliding_window') && keys.get('sliding_window') === undefined;
      return { slidingWindow: isOff ? null : keys.integer('sliding_window', { fallback: 4096 }), fullLayers: [] };
    },
    writeWindows: ({ slidingWindow }) => ({ sliding_window: slidingWindow }),
  },
  qwen2: {
    architecture: 'Qwen2ForCausalLM',
    hasDefaultKeyValueHeads: false,
    qkNorm: false,
    readBiases: () => ({ ...noBiases, attentionBias: true }),
    writeBiases: () => ({}),
    readWindows: readQwenWindows,
    writeWindows: writeQwenWindows,
  },
  qwen3: {
    architecture: 'Qwen3ForCausalLM',
    hasDefaultKeyValueHeads: false,
    defaultHeadDim: 128,
    qkNorm: true,
    readBiases: (keys) => {
      const attentionBias = keys.flag('attention_bias', false);
      return { ...noBiases, attentionBias, attentionOutputBias: attentionBias };
    },
    writeBiases: ({ attentionBias }) => ({ attention_bias: attentionBias }),
    readWindows: readQwenWindows,
    writeWindows: writeQwenWindows,
  },
};
