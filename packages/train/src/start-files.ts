import { basename, join } from 'node:path';
import { isHubLocation } from '@lethe/data-pipeline';
import { findModelFiles } from '@lethe/model';
import { digestFile, requireSums, UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

/** SHA-256 of the files of a start model by name, and of a reference model by path: config, weights, index. */
export type StartFiles = Record<string, string>;

/**
 * The files that a run starts from, read once: the path in a recipe does not say what lies there. Undefined for fresh
 * weights, and for a model on the hub, whose pinned commit says it.
 * @throws UserError naming a file that is not as it was written.
 */
export function digestStart({ model: { init, reference } }: Pick<TrainRecipe, 'model'>): StartFiles | undefined {
  if (init === undefined || isHubLocation(init)) return undefined;
  const beside = reference === undefined || isHubLocation(reference) ? [] : digestModelFiles(reference);
  return Object.fromEntries([
    ...digestModelFiles(init),
    ...beside.map(([name, sha256]) => [join(reference!, name), sha256] as const),
  ]);
}

/** SHA-256 of a model's files by name. @throws UserError naming one that is not as it was written. */
function digestModelFiles(folder: string): [name: string, sha256: string][] {
  const checked = requireSums(folder);
  return findModelFiles(folder).map((file) => [basename(file), checked[basename(file)] ?? digestFile(file).sha256]);
}

/**
 * Checks that the run in `folder` goes on from the files in `init` that it began with. Files that are gone are missed
 * when they are needed.
 * @throws UserError naming the first file that is another.
 */
export function requireSameStart(files: { began: StartFiles; now: StartFiles }, init: string, folder: string): void {
  const changed = Object.keys(files.now).find((name) => files.now[name] !== files.began[name]);
  if (changed === undefined) return;
  throw new UserError(
    `${changed === basename(changed) ? join(init, changed) : changed} is not the file that ${folder} started from; restore it, choose another name, or remove the folder to start again`,
  );
}
