import { existsSync, readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { jsonRows, type Place } from '@lethe/data-pipeline';
import { requireFile, UserError } from '@lethe/run';
import type { z } from 'zod';

/** What a benchmark's file holds. */
export interface RowsOf<S extends z.ZodType> {
  /** Whose rows they are, for messages: `GSM8K`. */
  benchmark: string;
  schema: S;
  /** What tells rows apart; two rows of one id are refused, since an answer to one would count for both. */
  id?: { name: string; of: (row: z.output<S>) => string | number };
}

/** What to do about a wrong row, unless something else is to be done. */
const REMEDY = 'correct the row, or remove it to score the others';

/** The error of a row that is not what its benchmark asks for: where, what is wrong, and the remedy. */
export function wrongRow({ file, line }: Place, problem: string, remedy = REMEDY): UserError {
  return new UserError(`${file}:${line}: ${problem}; ${remedy}`);
}

/**
 * A benchmark's file, unpacked where it is gzipped, without a byte order mark.
 * @throws UserError where it is not there, does not unpack, or is not UTF-8.
 */
export function readBenchmarkFile(file: string): Buffer {
  if (!existsSync(file)) throw new UserError(`${file}: no such file; check the task's data in the recipe`);
  requireFile(file);
  const packed = readFileSync(file);
  let bytes = packed;
  try {
    if (packed[0] === 0x1f && packed[1] === 0x8b) bytes = gunzipSync(packed);
  } catch (cause) {
    throw new UserError(`${file}: does not unpack (${(cause as Error).message}); fetch it again`, { cause });
  }
  if (!isUtf8(bytes)) throw new UserError(`${file}: not valid UTF-8; convert it to UTF-8`);
  return bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? bytes.subarray(3) : bytes;
}

/** JSON as Python writes it, with plain numbers: 3.0, which pandas makes of 3 beside a missing number, is 3. */
function plain(value: unknown): unknown {
  if (value instanceof Number) return value.valueOf();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const describeIssue = ({ path, message }: z.core.$ZodIssue): string =>
  path.length > 0 ? `${path.join('.')}: ${message}` : message;

/**
 * The rows of a JSONL file or of a JSON array, gzipped or not, each with the line on which it begins.
 * @throws UserError naming the file, or the file and line that is not what it should be, and what to do.
 */
export function readRows<S extends z.ZodType>(
  file: string,
  { benchmark, schema, id }: RowsOf<S>,
): (z.output<S> & { place: Place })[] {
  const lines = new Map<string | number, number>();
  const rows = jsonRows(readBenchmarkFile(file)).map((raw) => {
    const place = { file, line: raw.line };
    if ('problem' in raw) throw wrongRow(place, raw.problem);
    const parsed = schema.safeParse(plain(raw.value));
    if (!parsed.success)
      throw wrongRow(place, `not a row of ${benchmark}: ${parsed.error.issues.map(describeIssue).join(', ')}`);
    const key = id?.of(parsed.data);
    const before = key === undefined ? undefined : lines.get(key);
    if (before !== undefined)
      throw wrongRow(place, `${id!.name} ${key} is also that of line ${before}`, 'remove one of the two');
    if (key !== undefined) lines.set(key, raw.line);
    return { ...(parsed.data as object), place } as z.output<S> & { place: Place };
  });
  if (rows.length === 0)
    throw new UserError(
      `${file}: expected rows of ${benchmark}, received none; give a file that has some, or fetch it again`,
    );
  return rows;
}
