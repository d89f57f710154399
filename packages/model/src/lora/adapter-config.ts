// adapter_config.json as peft writes it. Keys that Lethe does not know may change what an adapter computes, so that they are
// refused unless they say nothing.
import { readJsonFile } from '@lethe/run';
import { ConfigError } from '../config.js';
import { ConfigKeys } from '../config-keys.js';
import { showValue } from '../show-value.js';
import type { LoraSettings } from './lora-settings.js';

/** Name of an adapter's description. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/** What an adapter's description says of its computation: (alpha / rank) B A, or alpha / sqrt(rank) with `use_rslora`. */
export interface AdapterConfig {
  rank: number;
  factor: number;
}

/** Keys that say where an adapter comes from, how it was trained, or which layers it has, which its weights say. */
const HARMLESS = new Set([
  'auto_mapping',
  'base_model_name_or_path',
  'ensure_weight_tying',
  'exclude_modules',
  'inference_mode',
  'layers_pattern',
  'layers_to_transform',
  'lora_dropout',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'target_modules',
  'task_type',
]);

/** Keys that are read, or checked by name. */
const KNOWN = new Set(['peft_type', 'r', 'lora_alpha', 'use_rslora', 'bias', 'init_lora_weights']);

/** Initialisations that leave the base as it is. */
const PLAIN_STARTS: readonly unknown[] = [undefined, true, false, 'gaussian', 'orthogonal', 'eva'];

/**
 * Reads a LoRA adapter's description.
 * @throws ConfigError naming file and key: unreadable, of another kind, or with what is not computed here (DoRA, biases, ranks by
 *   pattern, whole modules, starts that change the base).
 */
export function readAdapterConfig(file: string): AdapterConfig {
  const raw = readMapping(file);
  const keys = new ConfigKeys(raw, file);
  if (keys.get('peft_type') !== 'LORA') keys.refuse('peft_type', '"LORA"', raw['peft_type']);
  if ((keys.get('bias') ?? 'none') !== 'none') keys.refuse('bias', '"none"', raw['bias']);
  const start = keys.get('init_lora_weights');
  if (!PLAIN_STARTS.includes(start)) keys.refuse('init_lora_weights', 'a start that leaves the base as it is', start);
  for (const key of Object.keys(raw)) {
    if (KNOWN.has(key) || HARMLESS.has(key) || saysNothing(raw[key])) continue;
    const remedy = 'merge the adapter where it was made (merge_and_unload of peft)';
    throw new ConfigError(`${file}: ${key}: ${showValue(raw[key])} is not supported; ${remedy}`);
  }
  const rank = keys.integer('r');
  const alpha = keys.positive('lora_alpha');
  return { rank, factor: alpha / (keys.flag('use_rslora', false) ? Math.sqrt(rank) : rank) };
}

function readMapping(file: string): Record<string, unknown> {
  const raw = readJsonFile(file);
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  throw new ConfigError(`${file}: expected a mapping, received ${showValue(raw)}`);
}

/** Whether a value is one of those that peft writes where a feature is off. */
function saysNothing(value: unknown): boolean {
  if (value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The model that an adapter changes, as peft finds it: a folder, or a name on the hub with its commit. */
export interface AdapterBase {
  name: string;
  revision?: string;
}

/** An adapter's description as peft reads it. */
export const adapterConfigText = ({ rank, alpha, targets }: LoraSettings, { name, revision }: AdapterBase): string =>
  `${JSON.stringify(
    {
      base_model_name_or_path: name,
      bias: 'none',
      fan_in_fan_out: false,
      inference_mode: true,
      init_lora_weights: true,
      lora_alpha: alpha,
      lora_dropout: 0,
      peft_type: 'LORA',
      r: rank,
      revision: revision ?? null,
      target_modules: [...targets],
      task_type: 'CAUSAL_LM',
      use_dora: false,
      use_rslora: false,
    },
    null,
    2,
  )}\n`;
