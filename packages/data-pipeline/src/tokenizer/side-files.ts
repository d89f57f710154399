import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readingProblem } from '@lethe/run';
import { TokenizerError } from './tokenizer-core.js';

/** The JSON files beside `tokenizer.json`; missing ones are empty. */
export interface SideFiles {
  tokenizerConfig: Record<string, unknown>;
  specialTokensMap: Record<string, unknown>;
  generationConfig: Record<string, unknown>;
  config: Record<string, unknown>;
  /** added_tokens.json: ids by content. */
  addedTokens: Record<string, unknown>;
}

/** Reads the files that describe special tokens and the chat template. */
export async function readSideFiles(folder: string): Promise<SideFiles> {
  const read = (name: string): Promise<Record<string, unknown>> => readJson(path.join(folder, name));
  const [tokenizerConfig, specialTokensMap, generationConfig, config, addedTokens] = await Promise.all([
    read('tokenizer_config.json'),
    read('special_tokens_map.json'),
    read('generation_config.json'),
    read('config.json'),
    read('added_tokens.json'),
  ]);
  return { tokenizerConfig, specialTokensMap, generationConfig, config, addedTokens };
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '{}';
    throw error;
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new TokenizerError(`${file}: ${readingProblem(cause)}`, { cause });
  }
}
