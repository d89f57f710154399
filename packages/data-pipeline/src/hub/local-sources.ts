import type { Source } from '../documents/read-documents.js';
import { fetchDataset } from './fetch-dataset.js';
import { isHubLocation } from './hub-location.js';

/** Sources on the hub as files of the cache, so that a preparation sees one commit throughout; others as they are. */
export async function localSources(sources: readonly (string | Source)[]): Promise<(string | Source)[]> {
  const local: (string | Source)[] = [];
  for (const source of sources) {
    const how = typeof source === 'string' ? { path: source } : source;
    if (!isHubLocation(how.path)) local.push(source);
    else for (const file of await fetchDataset(how.path)) local.push({ ...how, path: file });
  }
  return local;
}
