import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { requireFile } from '@lethe/run';
import { modelFolder } from '../hub/fetch-model.js';
import { classDifference } from './class-difference.js';
import { loadJsCore } from './js-core.js';
import { loadRustCore } from './rust-core.js';
import { readChatTemplates } from './read-chat-templates.js';
import { findSpecialIds, readSideFiles, templateNames } from './special-tokens.js';
import { TokenizerError, type BuildCore, type CoreName, type TokenizerJson } from './tokenizer-core.js';
import { Tokenizer } from './tokenizer.js';

/** How a tokenizer is loaded. */
export interface LoadTokenizerOptions {
  /** Force a core; the environment variable LETHE_TOKENIZER does the same. Default: rust, else js. */
  core?: CoreName;
  /** Remember the ids of pieces of texts, where that gives the same ids. Default true. */
  pieces?: boolean;
  /** Told why the Rust core is not used. */
  onFallback?: (reason: string) => void;
  /** Told where transformers gives other ids than tokenizer.json says. */
  onWarning?: (warning: string) => void;
}

/**
 * Loads `tokenizer.json` from a model folder, a file, or a model on the hub (`hf://owner/name`), with the special tokens and chat template beside it.
 * @throws TokenizerError when it is missing or malformed.
 */
export async function loadTokenizer(location: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
  const local = await modelFolder(location, { weights: false });
  const isFolder = (await stat(local).catch(() => undefined))?.isDirectory() === true;
  const file = isFolder ? path.join(local, 'tokenizer.json') : local;
  requireFile(file);
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'ENOENT' ? 'no such file; expected the tokenizer.json of a Hugging Face model' : cause.message;
    throw new TokenizerError(`${file}: ${why}`, { cause });
  });
  const json = parse(bytes, file);
  const folder = path.dirname(file);
  const files = await readSideFiles(folder);
  const { name, build } = await chooseCore(options);
  const special = findSpecialIds(json, files);
  const contents = new Map<number | undefined, string>(
    (json.added_tokens ?? []).map(({ id, content }) => [id, content]),
  );
  const parts = {
    json: { ...json, truncation: null, padding: null }, // settings of training runs that must not cut our data
    config: files.tokenizerConfig,
    special,
    chatTemplates: await readChatTemplates(folder, files.tokenizerConfig['chat_template']),
    templateNames: templateNames(files, (name) => contents.get(special[name.replace('_token', '') as 'bos'])),
    hash: createHash('sha256').update(bytes).digest('hex'),
    folder,
    usesPieces: options.pieces ?? true,
  };
  const difference = classDifference(json, files.tokenizerConfig, files.config);
  if (difference !== undefined) options.onWarning?.(`${folder}: ${difference}`);
  try {
    return new Tokenizer(parts, build, name);
  } catch (cause) {
    throw new TokenizerError(`${file}: the ${name} core cannot load it: ${(cause as Error).message}`, { cause });
  }
}

function parse(bytes: Buffer, file: string): TokenizerJson {
  let json: TokenizerJson;
  try {
    json = JSON.parse(bytes.toString('utf8')) as TokenizerJson;
  } catch (cause) {
    throw new TokenizerError(`${file}: expected JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof json?.model?.vocab !== 'object')
    throw new TokenizerError(`${file}: expected a tokenizer with model.vocab`);
  return json;
}

async function chooseCore(options: LoadTokenizerOptions): Promise<{ name: CoreName; build: BuildCore }> {
  const wanted = options.core ?? process.env['LETHE_TOKENIZER'];
  if (wanted === 'js') return { name: 'js', build: await loadJsCore() };
  if (wanted !== undefined && wanted !== '' && wanted !== 'rust') {
    throw new TokenizerError(`LETHE_TOKENIZER: expected "rust" or "js", received "${wanted}"`);
  }
  try {
    return { name: 'rust', build: await loadRustCore() };
  } catch (cause) {
    if (wanted === 'rust')
      throw new TokenizerError(`the Rust tokenizer cannot be loaded: ${(cause as Error).message}`, { cause });
    options.onFallback?.(`the Rust tokenizer cannot be loaded, using JavaScript: ${(cause as Error).message}`);
    return { name: 'js', build: await loadJsCore() };
  }
}
