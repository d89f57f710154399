import { existsSync, readFileSync } from 'node:fs';
import { crc32 } from '../shards/crc32.js';

/** A row that is on disk, and the CRC-32 of its message. */
export interface LoggedRow {
  row: number;
  crc32: number;
}

/** Row, checksum of its message, checksum of these two: uint32 little-endian each. */
export const ENTRY_BYTES = 12;

/** The entry of a row that is on disk. */
export function encodeEntry({ row, crc32: checksum }: LoggedRow): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt32LE(row, 0);
  entry.writeUInt32LE(checksum, 4);
  entry.writeUInt32LE(crc32(entry.subarray(0, 8)), 8);
  return entry;
}

/** The rows of a log in the order they were written, up to an entry that is cut off or damaged; none where there is no log. */
export function readLog(file: string): LoggedRow[] {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const rows: LoggedRow[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) break;
    rows.push({ row: bytes.readUInt32LE(at), crc32: bytes.readUInt32LE(at + 4) });
  }
  return rows;
}
