import { copyFileSync, existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeFolder, UserError, writeFolderAtomically, writeText } from '@lethe/run';
import { findTokenizerFiles } from './checkpoint-files.js';
import type { LlamaConfig, WeightDtype } from './config.js';
import { toHuggingFaceConfig } from './config-writer.js';
import { parameterSpecs } from './parameter-names.js';
import { type TensorStream, writeWeights } from './safetensors/sharded-writer.js';
import type { StoredDtype } from './safetensors/writer.js';

const STORED_DTYPES: Readonly<Record<WeightDtype, StoredDtype>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
};
const GENERATION_CONFIG = 'generation_config.json';

/** What to export, and where. */
export interface ExportOptions {
  config: LlamaConfig;
  /** The `config.json` the model came with; keys that Lethe does not know are kept. */
  rawConfig?: Readonly<Record<string, unknown>>;
  /** Every parameter of `parameterSpecs(config)`, in any order. */
  tensors: TensorStream;
  /** A folder whose tokenizer files (and generation config) are copied. */
  tokenizerFrom?: string;
  /** Further files by name, such as a model card. */
  extraFiles?: Readonly<Record<string, string>>;
  /** Number format of the weights. Default float32. */
  dtype?: WeightDtype;
  /** Larger models are split into shards. Default 5 GB, as transformers. */
  maxShardBytes?: number;
  /** The folder to write. */
  out: string;
  /** Replace an existing folder. Default false: refuse. */
  replace?: boolean;
}

/**
 * Writes a Hugging Face model folder that transformers, vLLM and llama.cpp's converter open: `config.json`, weights,
 * `generation_config.json`, the tokenizer's files, and the SHA-256 of each. The folder appears whole or not at all.
 *
 * @throws UserError when `out` is not empty, `tokenizerFrom` is not a folder, or tensors are missing, extra or misshapen.
 */
export async function exportModelFolder(options: ExportOptions): Promise<void> {
  const { config, rawConfig = {}, tensors, tokenizerFrom, dtype = 'float32', out, replace } = options;
  const { maxShardBytes = 5e9, extraFiles = {} } = options;
  if (tokenizerFrom !== undefined && !(existsSync(tokenizerFrom) && statSync(tokenizerFrom).isDirectory())) {
    throw new UserError(`${tokenizerFrom}: expected a folder with a tokenizer, found none`);
  }
  const write = async (folder: string) => {
    writeJson(join(folder, 'config.json'), mergeConfig(rawConfig, { ...config, dtype }));
    await writeWeights(folder, parameterSpecs(config), tensors, { dtype: STORED_DTYPES[dtype], maxShardBytes });
    if (tokenizerFrom !== undefined) {
      for (const file of findTokenizerFiles(tokenizerFrom)) {
        const copy = join(folder, relative(tokenizerFrom, file));
        makeFolder(dirname(copy));
        copyFileSync(file, copy);
      }
    }
    writeGenerationConfig(folder, config, tokenizerFrom);
    for (const [name, content] of Object.entries(extraFiles)) writeText(join(folder, name), content);
  };
  await writeFolderAtomically(out, write, { replace, list: 'sums' });
}

/** The keys of `config` win; of the two spellings of one setting only the one they use stays. */
function mergeConfig(rawConfig: Readonly<Record<string, unknown>>, config: LlamaConfig): Record<string, unknown> {
  const { rope_parameters: _rope, dtype: _dtype, transformers_version: _version, ...rest } = rawConfig;
  return { ...rest, ...toHuggingFaceConfig(config) };
}

function writeGenerationConfig(folder: string, config: LlamaConfig, tokenizerFrom: string | undefined): void {
  const original = tokenizerFrom === undefined ? undefined : join(tokenizerFrom, GENERATION_CONFIG);
  if (original !== undefined && existsSync(original)) {
    copyFileSync(original, join(folder, GENERATION_CONFIG));
    return;
  }
  const { bos_token_id, eos_token_id } = toHuggingFaceConfig(config);
  writeJson(join(folder, GENERATION_CONFIG), { _from_model_config: true, bos_token_id, eos_token_id });
}

function writeJson(file: string, value: unknown): void {
  writeText(file, `${JSON.stringify(value, null, 2)}\n`);
}
