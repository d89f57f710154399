import { globPattern } from '../documents/glob.js';
import { parseHubLocation, type HubLocation } from './hub-location.js';
import { openRepository } from './open-repository.js';

const DATA_FILE = /\.(parquet|arrow|jsonl|ndjson|json|csv|tsv|txt)(\.gz)?$/;
/** Files that describe a data set rather than being part of it. */
const DESCRIPTION = /(^|\/)(dataset_infos|dataset_dict|dataset_info|state)\.json$/;

/**
 * The files of a data set on the hub, in the standard cache, downloaded where they are not there yet. Without network, or
 * with HF_HUB_OFFLINE=1, those of the last download. HF_ENDPOINT names another hub; the token comes from HF_TOKEN.
 * @throws SourceError when it cannot be reached and is not in the cache, is refused, or holds no such file.
 */
export async function fetchDataset(source: string): Promise<string[]> {
  const location = parseHubLocation(source, 'dataset');
  const repository = await openRepository(source, location);
  const wanted = repository.files.filter((file) => wants(location, file));
  if (wanted.length === 0) throw repository.nothing('no data file matches');
  const files: string[] = [];
  for (const file of wanted) files.push(await repository.fetch(file));
  await repository.keep();
  return files;
}

function wants({ path: wanted }: HubLocation, file: string): boolean {
  const isData =
    DATA_FILE.test(file) && !DESCRIPTION.test(file) && !file.split('/').some((part) => part.startsWith('.'));
  if (wanted === '') return isData;
  if (/[*?{]/.test(wanted)) return globPattern(wanted).test(file);
  return file === wanted || (isData && file.startsWith(`${wanted}/`));
}
