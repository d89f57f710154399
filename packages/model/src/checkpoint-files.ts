import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LlamaConfig } from './config.js';
import { ADAPTER_CONFIG } from './lora/adapter-config.js';
import { readConfig } from './config-reader.js';
import { parameterSpecs } from './parameter-names.js';
import { openSafetensors, refusePickle, type TensorSource } from './safetensors/reader.js';
import { SafetensorsError } from './safetensors/safetensors-error.js';
import { openShardedSafetensors, shardFiles } from './safetensors/sharded-reader.js';
import { INDEX_FILE, WEIGHTS_FILE } from './safetensors/sharded-writer.js';

/** Files of a tokenizer in a Hugging Face folder. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'tokenizer.model',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
] as const;

/** A model on disk: its config, and its weights to be read one at a time. */
export interface ModelFolder {
  folder: string;
  /** As config.json says, but for a tied head that the file has apart. */
  config: LlamaConfig;
  /** `config.json` as it is written, keys that Lethe does not use included. */
  rawConfig: Record<string, unknown>;
  /** Holds every parameter of {@link parameterSpecs}, with its shape; close it after reading. */
  tensors: TensorSource;
  /** Paths of those {@link TOKENIZER_FILES} that are there. */
  tokenizerFiles: string[];
}

/**
 * Opens a Hugging Face model folder: `config.json` and `model.safetensors`, or shards with their index.
 *
 * @throws UserError (ConfigError, SafetensorsError) naming the file and what is missing, extra, unsupported or damaged.
 */
export function openModelFolder(folder: string): ModelFolder {
  refuseAdapter(folder);
  const { config: written, rawConfig } = readConfig(join(folder, 'config.json'));
  const weights = openWeights(folder);
  const config = hasAnotherHead(weights, written) ? { ...written, tieEmbeddings: false } : written;
  const tensors = nameTiedEmbedding(weights, config);
  try {
    checkTensors(folder, config, tensors);
  } catch (error) {
    tensors.close();
    throw error;
  }
  return { folder, config, rawConfig, tensors, tokenizerFiles: findTokenizerFiles(folder) };
}

/** @throws SafetensorsError for a folder with an adapter (LoRA), which transformers adds to the model where peft is installed. */
function refuseAdapter(folder: string): void {
  if (!existsSync(join(folder, ADAPTER_CONFIG))) return;
  const isWhole = ['config.json', WEIGHTS_FILE, INDEX_FILE].some((name) => existsSync(join(folder, name)));
  throw new SafetensorsError(
    isWhole
      ? `${folder}: ${ADAPTER_CONFIG} says that an adapter (LoRA) belongs to this model; move its files to a folder of their own, and ` +
          'merge the two with lethe export --model MODEL --adapter ADAPTER --out MERGED, or use the model without it'
      : `${folder}: holds a LoRA adapter and no model; merge it into its base with lethe export --model BASE --adapter ${folder} --out MERGED`,
  );
}

/** The folder of a tokenizer's further chat templates. */
const TEMPLATES_FOLDER = 'additional_chat_templates';

/** Paths of the {@link TOKENIZER_FILES} that a folder has, and of the chat templates in `additional_chat_templates`. */
export function findTokenizerFiles(folder: string): string[] {
  const templates = join(folder, TEMPLATES_FOLDER);
  const additional = existsSync(templates) ? readdirSync(templates).filter((name) => name.endsWith('.jinja')) : [];
  const files = [...TOKENIZER_FILES, ...additional.sort().map((name) => join(TEMPLATES_FOLDER, name))];
  return files.map((name) => join(folder, name)).filter((file) => existsSync(file));
}

/**
 * Paths of the files that decide what a model computes, as far as they are there: its config, and its weights with their
 * index.
 * @throws SafetensorsError when the index cannot be read.
 */
export function findModelFiles(folder: string): string[] {
  const single = join(folder, WEIGHTS_FILE);
  const index = join(folder, INDEX_FILE);
  const weights = existsSync(single) ? [single] : existsSync(index) ? [index, ...shardFiles(index)] : [];
  return [join(folder, 'config.json'), ...weights].filter((file) => existsSync(file));
}

function openWeights(folder: string): TensorSource {
  const single = join(folder, WEIGHTS_FILE);
  if (existsSync(single)) return openSafetensors(single);
  const index = join(folder, INDEX_FILE);
  if (existsSync(index)) return openShardedSafetensors(index);
  for (const name of readdirSync(folder).sort()) refusePickle(join(folder, name));
  throw new SafetensorsError(`${folder}: expected ${WEIGHTS_FILE} or ${INDEX_FILE}, found neither`);
}

/**
 * Whether a tied model's file has a head that is not its embedding: transformers 5 then leaves the two apart, and so does
 * Lethe; an export says so.
 */
function hasAnotherHead(source: TensorSource, { tieEmbeddings }: LlamaConfig): boolean {
  const [head, embedding] = ['lm_head.weight', 'model.embed_tokens.weight'];
  if (!tieEmbeddings || !source.tensors.has(head) || !source.tensors.has(embedding)) return false;
  if (source.tensors.get(head)!.dtype === 'F32') {
    const embedded = source.readFloat32(embedding);
    return source.readFloat32(head).some((value, i) => value !== embedded[i]);
  }
  const parts = source.readBf16Parts(embedding)[Symbol.iterator]();
  for (const part of source.readBf16Parts(head)) {
    const other = parts.next().value as Uint16Array | undefined;
    if (part.some((bits, i) => bits !== other?.[i])) return true;
  }
  return false;
}

/** Safetensors keeps one name of a shared matrix, and for tied models some writers kept the head's. */
function nameTiedEmbedding(source: TensorSource, { tieEmbeddings }: LlamaConfig): TensorSource {
  const head = source.tensors.get('lm_head.weight');
  const embedding = 'model.embed_tokens.weight';
  if (!tieEmbeddings || !head || source.tensors.has(embedding)) return source;
  const stored = (name: string) => (name === embedding ? 'lm_head.weight' : name);
  return {
    tensors: new Map([[embedding, head], ...source.tensors]),
    readFloat32: (name) => source.readFloat32(stored(name)),
    readBf16Parts: (name) => source.readBf16Parts(stored(name)),
    readInt32: (name) => source.readInt32(stored(name)),
    close: () => source.close(),
  };
}

function checkTensors(folder: string, config: LlamaConfig, { tensors }: TensorSource): void {
  const specs = parameterSpecs(config);
  const missing = specs.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    const hint = missing.join() === 'lm_head.weight' ? ' (is "tie_word_embeddings": true missing in config.json?)' : '';
    throw new SafetensorsError(`${folder}: the weights lack ${listed(missing)}${hint}`);
  }
  for (const { name, shape } of specs) {
    const received = tensors.get(name)!.shape;
    if (received.join() !== shape.join()) {
      const expected = `expected shape [${shape.join(', ')}] by config.json, received [${received.join(', ')}]`;
      throw new SafetensorsError(`${folder}: tensor '${name}': ${expected}`);
    }
  }
  const known = new Set(specs.map(({ name }) => name));
  const extra = [...tensors.keys()].filter((name) => !known.has(name) && !isRedundant(name, config));
  if (extra.length > 0) {
    throw new SafetensorsError(
      `${folder}: the weights have tensors that config.json does not ask for: ${listed(extra)}`,
    );
  }
}

/** Tensors that older versions of transformers stored although they follow from the config or another tensor. */
function isRedundant(name: string, config: LlamaConfig): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || (config.tieEmbeddings && name === 'lm_head.weight');
}

function listed(names: string[]): string {
  const shown = names.slice(0, 5).map((name) => `'${name}'`);
  return names.length > 5 ? `${shown.join(', ')} and ${names.length - 5} more` : shown.join(', ');
}
