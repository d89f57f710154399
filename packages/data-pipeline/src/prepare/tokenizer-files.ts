import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];

/** Copies a tokenizer's files beside the shards that it made. */
export async function copyTokenizer(from: string, to: string): Promise<void> {
  if (path.resolve(from) === path.resolve(to)) return;
  await mkdir(to, { recursive: true });
  for (const name of TOKENIZER_FILES) {
    await copyFile(path.join(from, name), path.join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
