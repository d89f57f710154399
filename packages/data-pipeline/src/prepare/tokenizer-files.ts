import { copyFile, cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ADDITIONAL_TEMPLATES } from '../tokenizer/read-chat-templates.js';

const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
];

/** Copies a tokenizer's files beside the shards that it made. */
export async function copyTokenizer(from: string, to: string): Promise<void> {
  if (path.resolve(from) === path.resolve(to)) return;
  await mkdir(to, { recursive: true });
  const ignoreAbsent = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'ENOENT') throw error;
  };
  for (const name of TOKENIZER_FILES) await copyFile(path.join(from, name), path.join(to, name)).catch(ignoreAbsent);
  const templates = path.join(to, ADDITIONAL_TEMPLATES);
  await rm(templates, { recursive: true, force: true });
  await cp(path.join(from, ADDITIONAL_TEMPLATES), templates, { recursive: true }).catch(ignoreAbsent);
}
