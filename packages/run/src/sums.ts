import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { digestFile, type FileDigest } from './digest-file.js';
import { requireFile } from './regular-file.js';
import { UserError } from './user-error.js';

/** Name of the list of hashes in a folder of others' layout, such as a model's: `sha256sum --check SHA256SUMS` reads it too. */
export const SUMS = 'SHA256SUMS';

const LINE = /^(?<sha256>[0-9a-f]{64}) [ *](?<name>.+)$/;

/** What owners of a model write on in: its card, chat templates, settings of tokenizing and of generation. */
const EDITED = /\.(md|jinja)$|(^|\/)(tokenizer_config|generation_config|special_tokens_map)\.json$/;

/** The text of {@link SUMS}, without files that their owners edit. */
export const sumsText = (files: Record<string, FileDigest>): string =>
  Object.entries(files)
    .filter(([name]) => !EDITED.test(name))
    .map(([name, { sha256 }]) => `${sha256}  ${name}\n`)
    .join('');

/**
 * Checks the files of a folder that has {@link SUMS}; of one that has none nothing is known. Reads about 1.5 GB a second.
 * @returns the SHA-256 of the files that were checked, by name.
 * @throws UserError naming the list where a line is none, or the first file that is missing or another.
 */
export function requireSums(folder: string): Record<string, string> {
  const list = join(folder, SUMS);
  if (!existsSync(list)) return {};
  requireFile(list);
  const checked: Record<string, string> = {};
  for (const [i, line] of readFileSync(list, 'utf8').split('\n').entries()) {
    if (line === '') continue;
    const { name, sha256 } = LINE.exec(line)?.groups ?? {};
    if (name === undefined || isOutside(name) || Object.hasOwn(checked, name))
      throw new UserError(
        `${list}:${i + 1}: expected the SHA-256 and the name of another file here; restore the list, or remove it`,
      );
    requireSame(join(folder, name), sha256);
    checked[name] = sha256;
  }
  return checked;
}

const isOutside = (name: string): boolean => isAbsolute(name) || name.split('/').includes('..');

function requireSame(file: string, sha256: string): void {
  const remedy = `restore it; where this is meant, remove ${SUMS}, which says otherwise`;
  if (!existsSync(file)) throw new UserError(`${file}: there is no such file any more; ${remedy}`);
  requireFile(file);
  const received = digestFile(file).sha256;
  if (received === sha256) return;
  const begins = `its SHA-256 begins with ${received.slice(0, 12)}, not ${sha256.slice(0, 12)}`;
  throw new UserError(`${file}: was changed after it was written: ${begins}; ${remedy}`);
}
