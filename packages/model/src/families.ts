import type { LlamaConfig, ModelFamily } from './config.js';
import type { ConfigKeys } from './config-keys.js';

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
  readWindow(keys: ConfigKeys, numLayers: number): number | null;
  writeWindow(config: LlamaConfig): Record<string, unknown>;
}

const noBiases: Biases = { attentionBias: false, attentionOutputBias: false, mlpBias: false };

/** Qwen may put a window on some of its layers only, which Lethe does not compute. */
function readQwenWindow(keys: ConfigKeys, numLayers: number): number | null {
  if (!keys.flag('use_sliding_window', false)) return null;
  const numFullLayers = keys.integer('max_window_layers', { fallback: 28, minimum: 0 });
  if (numFullLayers >= numLayers) return null;
  if (numFullLayers === 0) return keys.integer('sliding_window', { fallback: 4096 });
  const expected = `0 or at least num_hidden_layers ${numLayers} when use_sliding_window is true (all layers alike)`;
  return keys.refuse('max_window_layers', expected, numFullLayers);
}

function writeQwenWindow({ slidingWindow, numLayers }: LlamaConfig): Record<string, unknown> {
  const isUsed = slidingWindow !== null;
  return { use_sliding_window: isUsed, sliding_window: slidingWindow, max_window_layers: isUsed ? 0 : numLayers };
}

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
    readWindow: () => null,
    writeWindow: () => ({}),
  },
  mistral: {
    architecture: 'MistralForCausalLM',
    hasDefaultKeyValueHeads: false,
    qkNorm: false,
    readBiases: () => noBiases,
    writeBiases: () => ({}),
    readWindow: (keys) => {
      if (!keys.has('sliding_window')) return 4096;
      return keys.get('sliding_window') === undefined ? null : keys.integer('sliding_window');
    },
    writeWindow: ({ slidingWindow }) => ({ sliding_window: slidingWindow }),
  },
  qwen2: {
    architecture: 'Qwen2ForCausalLM',
    hasDefaultKeyValueHeads: false,
    qkNorm: false,
    readBiases: () => ({ ...noBiases, attentionBias: true }),
    writeBiases: () => ({}),
    readWindow: readQwenWindow,
    writeWindow: writeQwenWindow,
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
    readWindow: readQwenWindow,
    writeWindow: writeQwenWindow,
  },
};
