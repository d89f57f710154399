import path from 'node:path';
import { readJsonFile } from '@lethe/run';
import { SourceError } from '../documents/document.js';
import { isHubLocation, parseHubLocation } from './hub-location.js';
import { openRepository, type Repository } from './open-repository.js';

/** How a model is fetched. */
export interface FetchModelOptions {
  /** Whether the weights are wanted, or the config and tokenizer alone. Default true. */
  weights?: boolean;
  /** Told of each file before it is fetched. */
  onFile?: (file: string) => void;
}

/** Files beside the weights that a checkpoint folder may have; what else a repository holds is left there. */
const SMALL_FILE =
  /^((generation_)?config|tokenizer(_config)?|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(tokenizer\.model|merges\.txt|chat_template\.jinja|README\.md|additional_chat_templates\/[^/]+\.jinja)$/;
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle)$/;

/**
 * The folder of a checkpoint: for `hf://owner/name[@revision][/folder]` the one in the standard cache, with the files that
 * Lethe needs downloaded where they are not there yet; for anything else the location itself.
 * @throws SourceError as `fetchDataset`, and when the repository holds no model, or its weights only as pickle.
 */
export async function modelFolder(location: string, options: FetchModelOptions = {}): Promise<string> {
  return isHubLocation(location) ? (await fetchModel(location, options)).folder : location;
}

/**
 * The location of a model with the commit in place of a branch or tag, so that it means the same files for ever; folders
 * as they are. Its files are fetched.
 * @throws SourceError as `modelFolder`.
 */
export async function pinModel(location: string, options: FetchModelOptions = {}): Promise<string> {
  if (!isHubLocation(location)) return location;
  const { commit } = await fetchModel(location, options);
  const { name, path: inside } = parseHubLocation(location, 'model');
  return `hf://${name}@${commit}${inside === '' ? '' : `/${inside}`}`;
}

async function fetchModel(source: string, options: FetchModelOptions): Promise<{ folder: string; commit: string }> {
  const { weights = true, onFile } = options;
  const location = parseHubLocation(source, 'model');
  const repository = await openRepository(source, location);
  const prefix = location.path === '' ? '' : `${location.path}/`;
  const names = repository.files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length));
  const fetch = (name: string): Promise<string> => {
    onFile?.(`${location.name}: ${name}`);
    return repository.fetch(prefix + name);
  };
  const small = names.filter((name) => SMALL_FILE.test(name));
  const first = small.find((name) => !name.includes('/'));
  if (first === undefined || (weights && !names.includes('config.json'))) {
    throw repository.nothing(`expected a model${prefix === '' ? '' : ` in ${location.path}`}, found no config.json`);
  }
  if (weights) refusePickleOnly(source, names, repository);
  const folder = path.dirname(await fetch(first));
  for (const name of small) if (name !== first) await fetch(name);
  if (weights) for (const name of await weightFiles(source, names, fetch)) await fetch(name);
  await repository.keep();
  return { folder, commit: repository.commit };
}

function refusePickleOnly(source: string, names: string[], repository: Repository): void {
  if (names.includes(WEIGHTS) || names.includes(INDEX)) return;
  const pickle = names.find((name) => PICKLE.test(name));
  if (pickle === undefined) throw repository.nothing(`expected ${WEIGHTS} or ${INDEX}, found neither`);
  throw new SourceError(
    `${source}: the weights are there as pickle only (${pickle}), and pickle files can run code when they are opened, so ` +
      `Lethe neither downloads nor reads them; look for a revision with safetensors, or convert the model ` +
      `(in Python: model.save_pretrained(folder, safe_serialization=True))`,
  );
}

/** The single file, or the shards that the index names. */
async function weightFiles(
  source: string,
  names: string[],
  fetch: (name: string) => Promise<string>,
): Promise<string[]> {
  if (names.includes(WEIGHTS)) return [WEIGHTS];
  const index = readJsonFile(await fetch(INDEX)) as { weight_map?: Record<string, string> };
  const shards = [...new Set(Object.values(index.weight_map ?? {}))].sort();
  const missing = shards.filter((shard) => !names.includes(shard));
  if (shards.length > 0 && missing.length === 0) return shards;
  throw new SourceError(`${source}: ${INDEX} names ${missing[0] ?? 'no files'}, and the repository does not have it`);
}
