import { SourceError } from '../documents/document.js';

/** A data set on the Hugging Face hub, or some of its files. */
export interface HubLocation {
  /** `owner/name`. */
  name: string;
  /** Branch, tag or commit. */
  revision: string;
  /** A file, a folder or a glob inside; empty for all data files. */
  path: string;
}

const SCHEME = 'hf://';
const FORM = /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/;

/** Whether a source names something on the hub. */
export function isHubLocation(source: string): boolean {
  return source.startsWith(SCHEME);
}

/** Reads `hf://datasets/owner/name[@revision][/path]`. @throws SourceError for another form. */
export function parseHubLocation(source: string): HubLocation {
  const [, name, revision = 'main', path = ''] = FORM.exec(source) ?? [];
  if (name !== undefined) return { name, revision: decodeURIComponent(revision), path: path.replace(/\/$/, '') };
  throw new SourceError(`${source}: expected hf://datasets/OWNER/NAME, with @REVISION and /PATH or /GLOB if wanted`);
}
