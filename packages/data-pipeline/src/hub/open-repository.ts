import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ListFileEntry } from '@huggingface/hub';
import { SourceError } from '../documents/document.js';
import { downloadBlob, reasonOf, refusal } from './download-blob.js';
import { hubAccess, type HubAccess } from './hub-access.js';
import { HubCache } from './hub-cache.js';
import type { HubLocation } from './hub-location.js';

/** The files of a repository at one commit, on the hub or in the cache. */
export interface Repository {
  commit: string;
  /** Paths of its files, sorted; without network, of those that were downloaded before. */
  files: string[];
  /** The path of a file in the cache, downloaded if it is not there. @throws SourceError when that fails. */
  fetch(file: string): Promise<string>;
  /** Notes that the revision's wanted files are all there, for times without network. */
  keep(): Promise<void>;
  /** The error when no file is as wanted. */
  nothing(expected: string): SourceError;
}

/**
 * Opens a repository on the hub; without network, or with HF_HUB_OFFLINE=1, what the standard cache has of it.
 * @throws SourceError when it cannot be reached and is not in the cache, or is refused.
 */
export async function openRepository(source: string, location: HubLocation): Promise<Repository> {
  const cache = new HubCache(location.kind, location.name);
  const hub = hubAccess();
  if (hub.isOffline) return openCached(source, location, { cache, why: 'HF_HUB_OFFLINE is set' });
  const listed = await list(location, hub).catch((cause: unknown) => {
    if (cause instanceof SourceError) throw cause;
    return `${hub.endpoint} cannot be reached (${reasonOf(cause)})`;
  });
  if (typeof listed === 'string') return openCached(source, location, { cache, why: listed });
  const { commit, entries } = listed;
  const files = [...entries.keys()].sort();
  return {
    commit,
    files,
    fetch: (file) => download(entries.get(file)!, { location, cache, hub, commit }),
    keep: () => cache.noteCommit(location.revision, commit),
    nothing: (expected) => new SourceError(`${source}: ${expected}; ${nameOf[location.kind]} has ${some(files)}`),
  };
}

const nameOf = { dataset: 'the data set', model: 'the model' };

async function list(
  { kind, name, revision }: HubLocation,
  hub: HubAccess,
): Promise<{ commit: string; entries: Map<string, ListFileEntry> }> {
  const { datasetInfo, HubApiError, listFiles, modelInfo } = await import('@huggingface/hub');
  const access = { hubUrl: hub.endpoint, ...(hub.token ? { accessToken: hub.token } : {}) };
  try {
    const asked = { ...access, name, revision };
    const { sha } = await (kind === 'dataset'
      ? datasetInfo({ ...asked, additionalFields: ['sha'] })
      : modelInfo({ ...asked, additionalFields: ['sha'] }));
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new SourceError(`${name}: expected a commit from the hub, received ${sha}`);
    const entries = new Map<string, ListFileEntry>();
    for await (const entry of listFiles({ ...access, repo: { type: kind, name }, revision: sha, recursive: true })) {
      if (entry.type === 'file') entries.set(entry.path, entry);
    }
    return { commit: sha, entries };
  } catch (error) {
    throw error instanceof HubApiError ? refusal(error.url, error.statusCode) : error;
  }
}

async function download(
  file: ListFileEntry,
  { location, cache, hub, commit }: { location: HubLocation; cache: HubCache; hub: HubAccess; commit: string },
): Promise<string> {
  const hash = file.lfs?.oid ?? file.oid;
  const isInside = !path.posix.isAbsolute(file.path) && !file.path.split(/[/\\]/).includes('..');
  if (!isInside || hash === undefined || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
    throw new SourceError(
      `${location.name}: the hub lists a file with a wrong path or hash: ${JSON.stringify(file.path)}`,
    );
  }
  const encoded = file.path.split('/').map(encodeURIComponent).join('/');
  const folder = location.kind === 'dataset' ? 'datasets/' : '';
  const url = `${hub.endpoint}/${folder}${location.name}/resolve/${commit}/${encoded}`;
  const blob = { url, size: file.lfs?.size ?? file.size, hash, isSha256: file.lfs !== undefined };
  const headers: Record<string, string> = hub.token ? { Authorization: `Bearer ${hub.token}` } : {};
  await downloadBlob(blob, cache.blob(hash), headers);
  return cache.link(commit, file.path, hash);
}

async function openCached(
  source: string,
  location: HubLocation,
  { cache, why }: { cache: HubCache; why: string },
): Promise<Repository> {
  const missing = new SourceError(
    `${source}: ${why}, and ${cache.folder} holds no such files; download them where there is a network, and copy that folder`,
  );
  const commit = await cache.knownCommit(location.revision);
  if (commit === undefined) throw missing;
  const folder = cache.snapshot(commit);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const isFile = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).isFile()));
  const files = names.filter((_, i) => isFile[i]).map((name) => name.split(path.sep).join('/'));
  return {
    commit,
    files: files.sort(),
    fetch: async (file) => path.join(folder, file),
    keep: async () => undefined,
    nothing: () => missing,
  };
}

function some(files: string[]): string {
  return files.length === 0 ? 'no files' : `${files.slice(0, 5).join(', ')}${files.length > 5 ? ', ...' : ''}`;
}
