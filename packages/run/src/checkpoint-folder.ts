import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncPath, verifyFolder, writeFolderAtomically } from './atomic-file.js';
import { isTemporaryName } from './temporary-path.js';
import { UserError } from './user-error.js';
import { writing } from './write-error.js';

/** A checkpoint on disk. */
export interface Checkpoint {
  /** Optimizer steps finished when it was saved. */
  step: number;
  /** Its folder. */
  path: string;
}

const NAME = /^step-(\d+)$/;
const nameOf = (step: number) => `step-${String(step).padStart(8, '0')}`;

/** The folder of the checkpoint of a step. */
export const checkpointPath = (folder: string, step: number): string => join(folder, nameOf(step));

/** All checkpoints in a folder, oldest first, whole or not; none when the folder is absent. */
export function listCheckpoints(folder: string): Checkpoint[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const match = NAME.exec(name);
      return match ? [{ step: Number(match[1]), path: join(folder, name) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

/**
 * Saves a checkpoint whole or not at all (see {@link writeFolderAtomically}); `writer` fills the folder it is given.
 * Afterwards only the `keep` newest remain (default 2), and the one of step `held` whatever its age; those of later steps,
 * which an abandoned run left, are gone.
 *
 * @throws RangeError unless step >= 0 and keep >= 1 are integers.
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  writer: (temporaryFolder: string) => void | Promise<void>,
  options: { keep?: number; held?: number } = {},
): Promise<Checkpoint> {
  const { keep = 2 } = options;
  if (!Number.isInteger(step) || step < 0 || !Number.isInteger(keep) || keep < 1) {
    throw new RangeError(`saveCheckpoint: expected step >= 0 and keep >= 1, received step ${step} and keep ${keep}`);
  }
  removeLeftovers(folder);
  const path = checkpointPath(folder, step);
  await writeFolderAtomically(path, writer, { replace: true });
  for (const { step: other, path: later } of listCheckpoints(folder))
    if (other > step) rmSync(later, { recursive: true });
  removeOldCheckpoints(folder, step, options);
  return { step, path };
}

/** Removes the checkpoints before a step but the `keep` newest and the one of step `held`, also where a kill broke that off. */
export function removeOldCheckpoints(
  folder: string,
  step: number,
  options: { keep?: number; held?: number } = {},
): void {
  const { keep = 2, held } = options;
  const upToNow = listCheckpoints(folder).filter((checkpoint) => checkpoint.step <= step);
  const old = upToNow.slice(0, -keep).filter((checkpoint) => checkpoint.step !== held);
  for (const { path } of old) rmSync(path, { recursive: true });
  if (old.length > 0) writing(folder, () => syncPath(folder));
}

/**
 * The newest checkpoint whose files match its manifest, and a warning for each newer one that does not; no checkpoint
 * in a folder that has none. Temporary folders that a crash left are removed.
 *
 * @param check looks at what a whole checkpoint says; one that it throws a UserError for counts as damaged.
 * @throws UserError when there are checkpoints and all are damaged: starting again would overwrite them.
 */
export function latestCheckpoint(
  folder: string,
  check: (checkpoint: Checkpoint, files: readonly string[]) => void = () => {},
): { checkpoint: Checkpoint | undefined; warnings: string[] } {
  removeLeftovers(folder);
  const warnings: string[] = [];
  for (const checkpoint of listCheckpoints(folder).reverse()) {
    try {
      check(checkpoint, verifyFolder(checkpoint.path));
      return { checkpoint, warnings };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warnings.push(`checkpoint of step ${checkpoint.step} is damaged, trying the one before: ${error.message}`);
    }
  }
  if (warnings.length === 0) return { checkpoint: undefined, warnings };
  throw new UserError(
    `${folder}: every checkpoint is damaged; remove the folder to start again\n${warnings.join('\n')}`,
  );
}

function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (isTemporaryName(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
