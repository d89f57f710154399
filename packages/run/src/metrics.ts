import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, syncPath } from './atomic-file.js';
import { closingOnError } from './closing-on-error.js';
import { openLine, type SealedLine, sealLine } from './sealed-lines.js';
import { setAside } from './set-aside.js';
import { readingProblem } from './system-error.js';
import { UserError } from './user-error.js';
import { writing } from './write-error.js';

/**
 * One line of `metrics.jsonl`. JSON has no NaN or infinity, so these are written as the strings "NaN", "Infinity" and
 * "-Infinity" (never null) and read back as numbers. Lines end with a checksum, `crc`, which is no part of the record.
 */
export interface MetricsRecord {
  /** Optimizer steps finished when the values were measured. */
  step: number;
  [name: string]: MetricsValue;
}

/** What a metrics record may hold. */
export type MetricsValue = number | string | boolean | null | MetricsValue[] | { [name: string]: MetricsValue };

const NON_FINITE: Record<string, number> = { NaN, Infinity, '-Infinity': -Infinity };

/** Appends records to a run's `metrics.jsonl`; each line reaches the operating system before `write` returns. */
export interface MetricsWriter {
  /** The step of the last record that was there already; undefined where there is none. */
  readonly lastStep: number | undefined;
  /** @throws RangeError when the step is not a non-negative integer; WriteError where the system refuses. */
  write(record: MetricsRecord): void;
  /** Waits until what was written is on the disk, as it must be before a checkpoint after it is. */
  sync(): void;
  close(): void;
}

/**
 * Opens `metrics.jsonl` for appending and first removes every line of step `fromStep` or later, and a last line that
 * was cut off, so that the file of a resumed run equals that of an uninterrupted one. A new run passes 0; one resumed
 * from a checkpoint of step s, whose records up to s count, passes s + 1.
 *
 * Where an earlier line is not a record and `onDamage` is given, the file is set aside under another name, of which
 * `onDamage` is told, and the records before that line are kept.
 *
 * @throws UserError naming the line when an earlier line is not a record, and nobody is told of it.
 */
export function openMetrics(file: string, fromStep: number, onDamage?: (warning: string) => void): MetricsWriter {
  makeFolder(dirname(file));
  const kept = existsSync(file) ? keptBefore(file, fromStep, onDamage) : NOTHING;
  const handle = writing(file, () => openSync(file, existsSync(file) ? 'r+' : 'w'));
  closingOnError(
    () => closeSync(handle),
    () => {
      writing(file, () => ftruncateSync(handle, kept.bytes));
      writing(file, () => syncPath(dirname(file)));
    },
  );
  let { bytes: end, seal: before } = kept;
  return {
    lastStep: kept.lastStep,
    write: (record) => {
      if (!Number.isInteger(record.step) || record.step < 0) {
        throw new RangeError(`metrics: expected step to be a non-negative integer, received ${record.step}`);
      }
      const { line, seal } = sealLine(formatRecord(record), before);
      const bytes = Buffer.from(`${line}\n`);
      for (let done = 0; done < bytes.length;)
        done += writing(file, () => writeSync(handle, bytes, done, bytes.length - done, end + done), bytes.length);
      end += bytes.length;
      before = seal;
    },
    sync: () => writing(file, () => fsyncSync(handle)),
    close: () => {
      try {
        writing(file, () => fsyncSync(handle));
      } finally {
        closeSync(handle);
      }
    },
  };
}

/**
 * Reads the records of a `metrics.jsonl`. A last line without its newline (a write that was cut off) is left out.
 *
 * @throws UserError naming file and line when the file is missing or another line is not a record.
 */
export function readMetrics(file: string): MetricsRecord[] {
  return Array.from(eachLine(file), ({ record }) => record);
}

/** What stays of a file: its length, its last step, and the seal of its last line. */
interface Kept {
  bytes: number;
  seal: string;
  lastStep?: number;
}

const NOTHING: Kept = { bytes: 0, seal: '' };

function keptBefore(file: string, fromStep: number, onDamage?: (warning: string) => void): Kept {
  const lines: Line[] = [];
  try {
    for (const line of eachLine(file)) lines.push(line);
  } catch (error) {
    if (!onDamage) throw error;
    const kept = setAside(file);
    copyFileSync(kept, file);
    onDamage(`${(error as Error).message}; the file is kept as ${kept}, and goes on with the records before that line`);
  }
  const firstDropped = lines.findIndex(({ record }) => record.step >= fromStep);
  const kept = firstDropped < 0 ? lines : lines.slice(0, firstDropped);
  const last = kept.at(-1);
  if (!last) return NOTHING;
  return { bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0), seal: last.seal, lastStep: last.record.step };
}

interface Line {
  record: MetricsRecord;
  bytes: number;
  seal: string;
}

function* eachLine(file: string): Generator<Line> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UserError(`${file}: cannot read the metrics: ${readingProblem(cause)}`, { cause });
  }
  let before = '';
  for (const [index, line] of text.split('\n').slice(0, -1).entries()) {
    const where = `${file}:${index + 1}`;
    const { json, seal = '' } = opened(line, before, where);
    yield { record: parseRecord(json, where), bytes: Buffer.byteLength(line) + 1, seal };
    before = seal;
  }
}

function opened(line: string, before: string, where: string): SealedLine {
  try {
    return openLine(line, before);
  } catch (cause) {
    throw new UserError(
      `${where}: expected a JSON record, received ${line.slice(0, 60)}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function formatRecord(record: MetricsRecord): string {
  return JSON.stringify(record, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

function parseRecord(line: string, where: string): MetricsRecord {
  let record: unknown;
  try {
    record = JSON.parse(line, (_key, value: unknown) =>
      typeof value === 'string' && Object.hasOwn(NON_FINITE, value) ? NON_FINITE[value] : value,
    );
  } catch (cause) {
    throw new UserError(`${where}: expected a JSON record, received ${line.slice(0, 60)}`, { cause });
  }
  if (typeof (record as MetricsRecord | null)?.step === 'number') return record as MetricsRecord;
  throw new UserError(`${where}: expected a record with a numeric 'step', received ${line.slice(0, 60)}`);
}
