import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { z } from 'zod';

/**
 * The rows of a JSONL file, or of a gzipped one, each with its line.
 * @throws UserError naming the file, or the file and line that is not what it should be.
 */
export function readJsonl<S extends z.ZodType>(file: string, schema: S): (z.output<S> & { place: Place })[] {
  if (!existsSync(file)) throw new UserError(`${file}: no such file`);
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [{ ...(schema.parse(JSON.parse(line)) as object), place: { file, line: i + 1 } }] as never;
    } catch (cause) {
      throw new UserError(`${file}:${i + 1}: not a row of this benchmark: ${(cause as Error).message}`, { cause });
    }
  });
}
