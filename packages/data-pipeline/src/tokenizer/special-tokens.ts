import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { TokenizerError, type TokenizerJson } from './tokenizer-core.js';

/** Ids with a meaning; undefined where the model has none. */
export interface SpecialIds {
  bos?: number;
  eos?: number;
  pad?: number;
  unk?: number;
  /** Every id that ends generation (`eos` and the further ones of generation_config.json). */
  stops: number[];
}

/** The JSON files beside `tokenizer.json`; missing ones are empty. */
export interface SideFiles {
  tokenizerConfig: Record<string, unknown>;
  specialTokensMap: Record<string, unknown>;
  generationConfig: Record<string, unknown>;
  config: Record<string, unknown>;
}

/** Names that tell an end or beginning of text when no file says so, most specific first. */
const USUAL = {
  bos: ['<s>', '<|begin_of_text|>', '<|startoftext|>', '[BOS]', '<bos>', '<|start_story|>'],
  eos: ['</s>', '<|end_of_text|>', '<|endoftext|>', '[EOS]', '<eos>', '<|end_story|>', '<|im_end|>'],
  pad: ['<pad>', '[PAD]', '<|pad|>', '<|finetune_right_pad_id|>'],
  unk: ['<unk>', '[UNK]'],
};

/** Reads the files that describe special tokens and the chat template. */
export async function readSideFiles(folder: string): Promise<SideFiles> {
  const [tokenizerConfig, specialTokensMap, generationConfig, config] = await Promise.all(
    ['tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json', 'config.json'].map((name) =>
      readJson(path.join(folder, name)),
    ),
  );
  return {
    tokenizerConfig: tokenizerConfig!,
    specialTokensMap: specialTokensMap!,
    generationConfig: generationConfig!,
    config: config!,
  };
}

/** Special ids: tokenizer_config.json, then special_tokens_map.json, generation_config.json, config.json, usual names. */
export function findSpecialIds(json: TokenizerJson, files: SideFiles): SpecialIds {
  const ids = idsByContent(json);
  const byName = (value: unknown): number | undefined => {
    const content = tokenText(value);
    return content === undefined ? undefined : ids.get(content);
  };
  const find = (kind: keyof typeof USUAL): number | undefined => {
    const name = `${kind}_token`;
    // A null says that there is none; only a text must end somehow.
    if (files.tokenizerConfig[name] === null && kind !== 'eos') return undefined;
    return (
      byName(files.tokenizerConfig[name]) ??
      byName(files.specialTokensMap[name]) ??
      idList(files.generationConfig[`${name}_id`])[0] ??
      idList(files.config[`${name}_id`])[0] ??
      USUAL[kind].map((usual) => ids.get(usual)).find((id) => id !== undefined)
    );
  };
  const eos = find('eos');
  const stops = [eos, ...idList(files.generationConfig['eos_token_id'] ?? files.config['eos_token_id'])];
  const found = { bos: find('bos'), eos, pad: find('pad'), unk: find('unk') };
  return {
    ...Object.fromEntries(Object.entries(found).filter(([, id]) => id !== undefined)),
    stops: [...new Set(stops.filter((id) => id !== undefined))],
  };
}

const TEMPLATE_NAMES = ['bos', 'eos', 'pad', 'unk', 'sep', 'cls', 'mask'].map((kind) => `${kind}_token`);

/**
 * What templates see as `bos_token` and the like: what tokenizer_config.json says, a null included, then
 * special_tokens_map.json; `usual` gives those that no file speaks of.
 */
export function templateNames(files: SideFiles, usual: (name: string) => string | undefined): Record<string, string> {
  const names: Record<string, string> = {};
  for (const name of TEMPLATE_NAMES) {
    const file = [files.tokenizerConfig, files.specialTokensMap].find((candidate) => Object.hasOwn(candidate, name));
    const text = file ? tokenText(file[name]) : usual(name);
    if (text !== undefined) names[name] = text;
  }
  return names;
}

function tokenText(value: unknown): string | undefined {
  const content = typeof value === 'string' ? value : (value as { content?: unknown } | null)?.content;
  return typeof content === 'string' ? content : undefined;
}

/** Ids of all tokens by their content; added tokens win. */
export function idsByContent(json: TokenizerJson): Map<string, number> {
  const { vocab } = json.model;
  const entries = Array.isArray(vocab)
    ? vocab.map(([token], id): [string, number] => [token, id])
    : Object.entries(vocab);
  const added = (json.added_tokens ?? []).map((token): [string, number] => [token.content, token.id]);
  return new Map([...entries, ...added]);
}

function idList(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => Number.isInteger(id));
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '{}';
    throw error;
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new TokenizerError(`${file}: expected JSON: ${(cause as Error).message}`, { cause });
  }
}
