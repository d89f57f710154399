import { SourceError } from '../documents/document.js';

/** What a repository on the hub holds. */
export type HubKind = 'dataset' | 'model';

/** A data set or model on the Hugging Face hub, or some of its files. */
export interface HubLocation {
  kind: HubKind;
  /** `owner/name`. */
  name: string;
  /** Branch, tag or commit. */
  revision: string;
  /** A file, a folder or (of data sets) a glob inside; empty for the whole. */
  path: string;
}

const SCHEME = 'hf://';
const FORM = /^hf:\/\/(datasets\/)?([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/;
const EXPECTED = {
  dataset: 'expected hf://datasets/OWNER/NAME, with @REVISION and /PATH or /GLOB if wanted',
  model: 'expected hf://OWNER/NAME, with @REVISION and /FOLDER if wanted',
};

/** The data set on the hub that a file of the standard cache belongs to. */
export function hubDatasetOf(file: string): string | undefined {
  const [, owner, name] = /(?:^|[/\\])datasets--([\w.-]+?)--([\w.-]+)[/\\]snapshots[/\\]/.exec(file) ?? [];
  return owner && `${owner}/${name}`;
}

/** Whether a source names something on the hub. */
export function isHubLocation(source: string): boolean {
  return source.startsWith(SCHEME);
}

/** Reads `hf://datasets/owner/name[@revision][/path]`, or without `datasets/` of a model. @throws SourceError for another form. */
export function parseHubLocation(source: string, kind: HubKind): HubLocation {
  const [, datasets, name, revision = 'main', path = ''] = FORM.exec(source) ?? [];
  const isWanted = (datasets === undefined ? 'model' : 'dataset') === kind && !/^(models|spaces)\//.test(name ?? '');
  if (name === undefined || !isWanted) throw new SourceError(`${source}: ${EXPECTED[kind]}`);
  return { kind, name, revision: decodeURIComponent(revision), path: path.replace(/\/$/, '') };
}
