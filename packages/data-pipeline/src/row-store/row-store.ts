import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from '../shards/crc32.js';
import { ShardError } from '../shards/shard-index.js';
import { RowFormat, type RowShape, type RowValues } from './row-format.js';
import { type LoggedRow, readLog } from './row-log.js';

/** Bytes of a file at most, but for files of one row. */
const FILE_BYTES = 2 ** 30;

/** The file of a writer's log, and of its rows from `part * rowsPerFile` on. */
export const logFile = (writer: string): string => `rows-${writer}.bin`;
export const dataFile = (writer: string, part: number): string =>
  `hidden-${writer}-${String(part).padStart(5, '0')}.arrow`;

interface Place extends LoggedRow {
  writer: string;
  /** How many rows its writer has written before. */
  slot: number;
}

/**
 * Vectors of packed rows in a folder, found by row. Rows are only ever added: who reads needs no lock. Several writers, such
 * as the ranks of a job, add to files of their own.
 */
export class RowStore {
  readonly format: RowFormat;
  readonly rowsPerFile: number;
  private places = new Map<number, Place>();

  /** @param fileBytes for tests. */
  constructor(
    readonly folder: string,
    shape: RowShape,
    fileBytes = FILE_BYTES,
  ) {
    this.format = new RowFormat(shape);
    this.rowsPerFile = Math.max(1, Math.floor(fileBytes / this.format.messageBytes));
    this.refresh();
  }

  /** Looks at what writers have added since. */
  refresh(): void {
    const names = existsSync(this.folder) ? readdirSync(this.folder) : [];
    const writers = names.flatMap((name) => /^rows-(.+)\.bin$/.exec(name)?.[1] ?? []).sort();
    this.places = new Map();
    for (const writer of writers)
      for (const [slot, logged] of readLog(path.join(this.folder, logFile(writer))).entries())
        this.places.set(logged.row, { ...logged, writer, slot });
  }

  has(row: number): boolean {
    return this.places.has(row);
  }

  /** The vectors of a row. @throws ShardError when it is not there or damaged. */
  read(row: number): RowValues {
    const place = this.places.get(row);
    if (!place) throw new ShardError(`${this.folder}: row ${row} is not there; ${REMEDY}`);
    const file = path.join(this.folder, dataFile(place.writer, Math.floor(place.slot / this.rowsPerFile)));
    const { head, messageBytes } = this.format;
    const message = Buffer.allocUnsafeSlow(messageBytes);
    const offset = head.length + (place.slot % this.rowsPerFile) * messageBytes;
    const length = readAt(file, message, offset);
    if (length < messageBytes || crc32(message) !== place.crc32)
      throw new ShardError(`${file}: row ${row} is damaged (CRC-32 differs); ${REMEDY}`);
    const { row: found, values } = this.format.decode(message);
    if (found !== row) throw new ShardError(`${file}: expected row ${row}, found ${found}; ${REMEDY}`);
    return values;
  }
}

const REMEDY = 'remove the folder, and start again: what was in it is computed anew';

function readAt(file: string, into: Buffer, offset: number): number {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (cause) {
    throw new ShardError(`${file}: cannot be read (${(cause as Error).message}); ${REMEDY}`, { cause });
  }
  try {
    return readSync(handle, into, 0, into.length, offset);
  } finally {
    closeSync(handle);
  }
}
