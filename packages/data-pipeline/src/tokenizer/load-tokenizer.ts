import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { readingProblem, requireFile } from '@lethe/run';
import { modelFolder } from '../hub/fetch-model.js';
import { withAddedTokens } from './added-tokens.js';
import { classDifference } from './class-difference.js';
import { loadJsCore } from './js-core.js';
import { namedCore } from './named-core.js';
import { loadRustCore } from './rust-core.js';
import { readChatTemplates } from './read-chat-templates.js';
import { readSideFiles, type SideFiles } from './side-files.js';
import { findSpecialIds, templateNames } from './special-tokens.js';
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
      cause.code === 'ENOENT'
        ? 'no such file; expected the tokenizer.json of a Hugging Face model'
        : readingProblem(cause);
    throw new TokenizerError(`${file}: ${why}`, { cause });
  });
  const read = parse(bytes, file);
  const folder = path.dirname(file);
  const files = await readSideFiles(folder);
  const { json, isChanged, beyond } = withAddedTokens(read, files, folder);
  for (const warning of warningsOf(json, files, beyond)) options.onWarning?.(`${folder}: ${warning}`);
  const { name, build } = await chooseCore(options);
  const special = findSpecialIds(json, files);
  const contents = new Map<number | undefined, string>(
    (json.added_tokens ?? []).map(({ id, content }) => [id, content]),
  );
  const parts = {
    json: withoutChance(json),
    config: files.tokenizerConfig,
    special,
    chatTemplates: await readChatTemplates(folder, files.tokenizerConfig['chat_template']),
    templateNames: templateNames(files, (name) => contents.get(special[name.replace('_token', '') as 'bos'])),
    hash: hashOf(bytes, isChanged ? json.added_tokens : undefined),
    file,
    usesPieces: options.pieces ?? true,
  };
  try {
    return new Tokenizer(parts, namedCore(file, build), name);
  } catch (cause) {
    throw new TokenizerError(`${file}: the ${name} core cannot load it: ${(cause as Error).message}`, { cause });
  }
}

/** Without settings of training runs, which would cut our data, or draw its ids at random. */
const withoutChance = (json: TokenizerJson): TokenizerJson => ({
  ...json,
  truncation: null,
  padding: null,
  model: { ...json.model, dropout: null },
});

/** Tells tokenizers apart by tokenizer.json, and by what other files add to it, where they do. */
function hashOf(bytes: Buffer, added: unknown): string {
  const hash = createHash('sha256').update(bytes);
  return (added === undefined ? hash : hash.update(JSON.stringify(added))).digest('hex');
}

/** Where transformers, or the files' own settings, would make other ids than are made here. */
function warningsOf(json: TokenizerJson, files: SideFiles, beyond: string[]): string[] {
  const { dropout } = json.model;
  const difference = classDifference(json, files.tokenizerConfig, files.config);
  const names = beyond.slice(0, 5).join(', ') + (beyond.length > 5 ? ` and ${beyond.length - 5} more` : '');
  return [
    ...(difference === undefined ? [] : [difference]),
    ...(beyond.length === 0
      ? []
      : [
          `tokenizer_config.json or added_tokens.json adds ${names}, beyond the ${String(files.config['vocab_size'])} ids ` +
            'of the model (vocab_size of config.json); left out here',
        ]),
    ...(files.tokenizerConfig['split_special_tokens'] === true
      ? [
          'split_special_tokens of tokenizer_config.json has transformers spell special tokens, also those of a chat ' +
            'template, as text; they are tokens here',
        ]
      : []),
    ...(typeof dropout === 'number' && dropout > 0
      ? [`tokenizer.json draws ids at random (dropout ${dropout}); a text has the same ids every time here`]
      : []),
  ];
}

function parse(bytes: Buffer, file: string): TokenizerJson {
  let json: TokenizerJson;
  try {
    json = JSON.parse(bytes.toString('utf8')) as TokenizerJson;
  } catch (cause) {
    throw new TokenizerError(`${file}: ${readingProblem(cause)}`, { cause });
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
