import { rm } from 'node:fs/promises';
import path from 'node:path';
import { explainWriteError, lockWithin, whileLocked } from '@lethe/run';
import { localSources } from '../hub/local-sources.js';
import { findPrepared, fingerprint } from './fingerprint.js';
import { Preparation } from './preparation.js';
import type { PrepareOptions, PrepareProgress, PrepareResult } from './prepare-options.js';
import { readResumeState, removeResumeState } from './resume-state.js';

/** What a preparation writes besides shards. */
const STALE = ['prepare.json', 'wrong-rows.jsonl', 'dropped.jsonl'];

/**
 * Turns sources into shards: `out/train`, `out/heldout`, a copy of the tokenizer, and `prepare.json`, written last.
 * The same preparation is not done twice, and goes on where it was interrupted: documents are read and filtered again,
 * but those that are in the shards are not encoded again. Memory is bounded whatever the size of the sources.
 * @throws LockedError while another process works in `out`; SourceError, TokenizerError, ShardError, WriteError, or the signal's reason; the folder then holds no finished shards.
 */
export function prepare(
  given: PrepareOptions,
  onProgress?: (progress: PrepareProgress) => void,
): Promise<PrepareResult> {
  return whileLocked(lockWithin(given.out), () => prepareLocked(given, onProgress)).catch((error: unknown) => {
    throw explainWriteError(error, given.out);
  });
}

async function prepareLocked(
  given: PrepareOptions,
  onProgress?: (progress: PrepareProgress) => void,
): Promise<PrepareResult> {
  const options = { ...given, sources: await localSources(given.sources) };
  const identity = await fingerprint(options);
  const known = options.force ? undefined : await findPrepared(options.out, identity.hash);
  if (known) return { report: known, isSkipped: true, numResumed: 0 };
  const state = options.force ? undefined : await readResumeState(options.out, identity.hash);
  for (const name of STALE) await rm(path.join(options.out, name), { force: true });
  if (!state) {
    await rm(path.join(options.out, 'heldout'), { recursive: true, force: true });
    await removeResumeState(options.out);
  }
  const report = await new Preparation(options, identity, onProgress, state).run();
  return { report, isSkipped: false, numResumed: state?.documents ?? 0 };
}
