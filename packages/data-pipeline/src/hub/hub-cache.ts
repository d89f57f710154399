import { copyFile, readFile, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { explainWriteError, makeFolder, writeFileAtomically } from '@lethe/run';
import type { HubKind } from './hub-location.js';

/** Where Hugging Face's own libraries keep what they download: HF_HUB_CACHE, or `hub` in HF_HOME. */
export function hubCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const home = HF_HOME ?? path.join(XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? path.join(home, 'hub');
}

/** One data set or model in the standard cache: blobs by hash, snapshots by commit that link to them, refs by branch. */
export class HubCache {
  readonly folder: string;

  constructor(kind: HubKind, name: string, root = hubCacheFolder()) {
    this.folder = path.join(root, [`${kind}s`, ...name.split('/')].join('--'));
  }

  snapshot(commit: string): string {
    return path.join(this.folder, 'snapshots', commit);
  }

  blob(hash: string): string {
    return path.join(this.folder, 'blobs', hash);
  }

  /** The commit that a revision had when its files were last fetched whole. */
  async knownCommit(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const text = await readFile(path.join(this.folder, 'refs', revision), 'utf8').catch(() => undefined);
    return text?.trim();
  }

  /** Notes the commit of a revision; called when all its wanted files are there. */
  async noteCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const file = path.join(this.folder, 'refs', revision);
    writeFileAtomically(file, commit);
  }

  /** Puts a blob into a snapshot, as a link, or as a copy where the system has no links. */
  async link(commit: string, name: string, hash: string): Promise<string> {
    const file = path.join(this.snapshot(commit), name);
    const blob = this.blob(hash);
    if (await stat(file).catch(() => undefined)) return file;
    makeFolder(path.dirname(file));
    await symlink(path.relative(path.dirname(file), blob), file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST')
        await copyFile(blob, file).catch((problem) => Promise.reject(explainWriteError(problem, file)));
    });
    return file;
  }
}
