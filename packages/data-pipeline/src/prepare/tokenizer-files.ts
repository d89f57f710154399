import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '@lethe/run';
import { ADDITIONAL_TEMPLATES } from '../tokenizer/read-chat-templates.js';

const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
];

/** Copies a tokenizer's files beside the shards that it made; all are on the disk then, for prepare.json says so after them. */
export function copyTokenizer(from: string, to: string): void {
  if (path.resolve(from) === path.resolve(to)) return;
  const copy = (name: string): void => writeFileAtomically(path.join(to, name), readFileSync(path.join(from, name)));
  for (const name of TOKENIZER_FILES) if (existsSync(path.join(from, name))) copy(name);
  rmSync(path.join(to, ADDITIONAL_TEMPLATES), { recursive: true, force: true });
  const templates = path.join(from, ADDITIONAL_TEMPLATES);
  if (!existsSync(templates)) return;
  for (const name of readdirSync(templates, { recursive: true }) as string[])
    if (statSync(path.join(templates, name)).isFile()) copy(path.join(ADDITIONAL_TEMPLATES, name));
}
