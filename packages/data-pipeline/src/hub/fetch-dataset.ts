import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ListFileEntry } from '@huggingface/hub';
import { SourceError } from '../documents/document.js';
import { globPattern } from '../documents/glob.js';
import { downloadBlob, reasonOf, refusal } from './download-blob.js';
import { HubCache } from './hub-cache.js';
import { parseHubLocation, type HubLocation } from './hub-location.js';

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const DATA_FILE = /\.(parquet|arrow|jsonl|ndjson|json|csv|tsv|txt)(\.gz)?$/;
/** Files that describe a data set rather than being part of it. */
const DESCRIPTION = /(^|\/)(dataset_infos|dataset_dict|dataset_info|state)\.json$/;

/** How the hub is reached. */
interface Hub {
  endpoint: string;
  token: string | undefined;
}

/**
 * The files of a data set on the hub, in the standard cache, downloaded where they are not there yet. Without network, or
 * with HF_HUB_OFFLINE=1, those of the last download. HF_ENDPOINT names another hub; the token comes from HF_TOKEN.
 * @throws SourceError when it cannot be reached and is not in the cache, is refused, or holds no such file.
 */
export async function fetchDataset(source: string): Promise<string[]> {
  const location = parseHubLocation(source);
  const cache = new HubCache(location.name);
  const { HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE } = process.env;
  const hub = { endpoint: (HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/$/, ''), token: HF_TOKEN || undefined };
  const isOffline = HF_HUB_OFFLINE !== undefined && /^(1|true|yes|on)$/i.test(HF_HUB_OFFLINE);
  if (isOffline) return cachedFiles(location, cache, source, 'HF_HUB_OFFLINE is set');
  const listed = await listDataset(location, hub).catch((cause: unknown) => {
    if (cause instanceof SourceError) throw cause;
    return `${hub.endpoint} cannot be reached (${reasonOf(cause)})`;
  });
  if (typeof listed === 'string') return cachedFiles(location, cache, source, listed);
  const wanted = listed.files.filter((file) => wants(location, file.path));
  if (wanted.length === 0)
    throw new SourceError(`${source}: no data file matches; the data set has ${some(listed.files)}`);
  const files: string[] = [];
  for (const file of wanted) files.push(await fetchFile(file, { location, cache, hub, commit: listed.commit }));
  await cache.noteCommit(location.revision, listed.commit);
  return files;
}

async function listDataset(
  { name, revision }: HubLocation,
  hub: Hub,
): Promise<{ commit: string; files: ListFileEntry[] }> {
  const { datasetInfo, HubApiError, listFiles } = await import('@huggingface/hub');
  const access = { hubUrl: hub.endpoint, ...(hub.token ? { accessToken: hub.token } : {}) };
  try {
    const { sha } = await datasetInfo({ ...access, name, revision, additionalFields: ['sha'] });
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new SourceError(`${name}: expected a commit from the hub, received ${sha}`);
    const files: ListFileEntry[] = [];
    const repo = { type: 'dataset', name } as const;
    for await (const entry of listFiles({ ...access, repo, revision: sha, recursive: true })) {
      if (entry.type === 'file') files.push(entry);
    }
    return { commit: sha, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
  } catch (error) {
    throw error instanceof HubApiError ? refusal(error.url, error.statusCode) : error;
  }
}

async function fetchFile(
  file: ListFileEntry,
  { location, cache, hub, commit }: { location: HubLocation; cache: HubCache; hub: Hub; commit: string },
): Promise<string> {
  const hash = file.lfs?.oid ?? file.oid;
  const isInside = !path.posix.isAbsolute(file.path) && !file.path.split(/[/\\]/).includes('..');
  if (!isInside || hash === undefined || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
    throw new SourceError(
      `${location.name}: the hub lists a file with a wrong path or hash: ${JSON.stringify(file.path)}`,
    );
  }
  const encoded = file.path.split('/').map(encodeURIComponent).join('/');
  const url = `${hub.endpoint}/datasets/${location.name}/resolve/${commit}/${encoded}`;
  const blob = { url, size: file.lfs?.size ?? file.size, hash, isSha256: file.lfs !== undefined };
  const headers: Record<string, string> = hub.token ? { Authorization: `Bearer ${hub.token}` } : {};
  await downloadBlob(blob, cache.blob(hash), headers);
  return cache.link(commit, file.path, hash);
}

async function cachedFiles(location: HubLocation, cache: HubCache, source: string, why: string): Promise<string[]> {
  const commit = await cache.knownCommit(location.revision);
  const folder = commit === undefined ? undefined : cache.snapshot(commit);
  const names = folder ? await readdir(folder, { recursive: true }).catch(() => []) : [];
  const wanted = names.filter((name) => wants(location, name.split(path.sep).join('/')));
  const files = wanted.map((name) => path.join(folder!, name)).filter((file) => statSync(file).isFile());
  if (files.length > 0) return files.sort();
  throw new SourceError(
    `${source}: ${why}, and ${cache.folder} holds no such files; download them where there is a network, and copy that folder`,
  );
}

function wants({ path: wanted }: HubLocation, file: string): boolean {
  const isData =
    DATA_FILE.test(file) && !DESCRIPTION.test(file) && !file.split('/').some((part) => part.startsWith('.'));
  if (wanted === '') return isData;
  if (/[*?{]/.test(wanted)) return globPattern(wanted).test(file);
  return file === wanted || (isData && file.startsWith(`${wanted}/`));
}

function some(files: ListFileEntry[]): string {
  const names = files.slice(0, 5).map((file) => file.path);
  return names.length === 0 ? 'no files' : `${names.join(', ')}${files.length > 5 ? ', ...' : ''}`;
}
