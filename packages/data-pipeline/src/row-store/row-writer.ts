import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { closingOnError, makeFolder, writing } from '@lethe/run';
import { END_OF_STREAM } from '../shards/arrow-batch.js';
import { crc32 } from '../shards/crc32.js';
import type { RowValues } from './row-format.js';
import { encodeEntry, ENTRY_BYTES, readLog } from './row-log.js';
import { dataFile, logFile, type RowStore } from './row-store.js';

/** Bytes after which rows are put to disk for good, and into the log: what a killed writer loses at most. */
const FLUSH_BYTES = 64 * 2 ** 20;

/**
 * Adds rows to a store, after those that it has written before. A row is in the log once it is on disk, so that a killed
 * writer leaves whole rows; what lies after them is overwritten. For who holds the lock of the store's folder.
 */
export class RowWriter {
  private count: number;
  private data: number | undefined;
  private readonly log: number;
  private entries: Buffer[] = [];

  /** @param name of the writer's files; no other writer may have it. */
  constructor(
    private readonly store: RowStore,
    private readonly name: string,
  ) {
    makeFolder(store.folder);
    const file = path.join(store.folder, logFile(name));
    this.count = readLog(file).length;
    this.log = writing(file, () => openSync(file, 'a+'));
    closingOnError(
      () => closeSync(this.log),
      () => {
        writing(file, () => ftruncateSync(this.log, this.count * ENTRY_BYTES));
        this.removeUnlogged();
      },
    );
  }

  add(row: number, values: RowValues): void {
    const { format, rowsPerFile } = this.store;
    const message = format.encode(row, values);
    this.data ??= this.openData();
    const offset = format.head.length + (this.count % rowsPerFile) * format.messageBytes;
    this.write(message, offset);
    this.entries.push(encodeEntry({ row, crc32: crc32(message) }));
    this.count++;
    if (this.count % rowsPerFile === 0) this.closeData();
    else if (this.entries.length * message.length >= FLUSH_BYTES) this.flush();
  }

  /** Ends what is open; the store then knows the rows after its `refresh`. */
  close(): void {
    try {
      if (this.data !== undefined) this.closeData();
    } finally {
      closeSync(this.log);
    }
  }

  private get part(): number {
    return Math.floor(this.count / this.store.rowsPerFile);
  }

  private fileOf(part: number): string {
    return path.join(this.store.folder, dataFile(this.name, part));
  }

  /** Files after the one that goes on hold rows that no log knows. */
  private removeUnlogged(): void {
    for (let part = this.part + 1; existsSync(this.fileOf(part)); part++) rmSync(this.fileOf(part));
  }

  private openData(): number {
    const file = this.fileOf(this.part);
    const { format, rowsPerFile } = this.store;
    const written = this.count % rowsPerFile;
    const handle = writing(file, () => openSync(file, written === 0 ? 'w' : 'r+'));
    this.data = handle;
    if (written === 0) this.write(format.head, 0);
    else writing(file, () => ftruncateSync(handle, format.head.length + written * format.messageBytes));
    return handle;
  }

  private closeData(): void {
    const { format, rowsPerFile } = this.store;
    const rows = this.count % rowsPerFile || rowsPerFile;
    const isFull = this.count % rowsPerFile === 0;
    const part = isFull ? this.part - 1 : this.part;
    this.write(END_OF_STREAM, format.head.length + rows * format.messageBytes, part);
    this.flush();
    closeSync(this.data!);
    this.data = undefined;
  }

  private write(bytes: Buffer, offset: number, part = this.part): void {
    writing(this.fileOf(part), () => writeAll(this.data!, bytes, offset), bytes.length);
  }

  private flush(): void {
    if (this.entries.length === 0) return;
    writing(this.fileOf(this.part), () => fsyncSync(this.data!));
    writing(path.join(this.store.folder, logFile(this.name)), () => {
      writeAll(this.log, Buffer.concat(this.entries)); // it is open for appending
      fsyncSync(this.log);
    });
    this.entries = [];
  }
}

/** The system may take a part of what it is given. */
function writeAll(handle: number, bytes: Buffer, offset?: number): void {
  for (let at = 0; at < bytes.length;)
    at += writeSync(handle, bytes, at, bytes.length - at, offset === undefined ? null : offset + at);
}
