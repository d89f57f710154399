import { SourceError, type Document, type Place, type WrongRow } from './document.js';
import { findFiles, type FoundFile } from './find-files.js';
import type { RawRow, ReadOptions } from './format.js';
import { detectFormat } from './format-registry.js';
import { openBytes, type OpenBytes } from './open-bytes.js';
import type { Preference } from './columns.js';
import { type Found, type JsonRow, readJsonRow, readShaped } from './json-row.js';
import { shapeRow } from './row-shape.js';

/** A path, glob, directory or `-`, with how to read it. */
export interface Source extends ReadOptions {
  path: string;
}

/** What was found in one file. */
export interface FileReport {
  file: string;
  /** The detected format, with "+gzip"; undefined for a skipped file. */
  format?: string;
  documents: number;
  wrongRows: number;
  /** Documents by row shape. */
  shapes: Record<string, number>;
  /** Why a file of a directory or glob was not read. */
  skipped?: string;
  /** The earlier source that the file was read for as well, so that its documents count once more. */
  repeats?: string;
}

/** How sources are read, and who is told what was found. */
export interface ReadDocumentsOptions {
  /** Throw at the first wrong row instead of reporting it. */
  strict?: boolean;
  /** `turns`: read rows that have both text and a question-answer pair as the latter. `ids`: read token ids only. */
  prefer?: Preference;
  /** Told how many bytes were read from the files, before decompression. */
  onBytes?: (bytes: number) => void;
  /** Told of each row that could not be used; `readRows` yields them. */
  onWrongRow?: (row: WrongRow) => void;
  /** Told for each row what changes its meaning and is not used. */
  onNote?: (file: string, text: string) => void;
  /** Called when a file has been read to its end, or skipped. */
  onFile?: (report: FileReport) => void;
}

type ReadRowsOptions = Omit<ReadDocumentsOptions, 'onWrongRow'>;

/**
 * Streams the documents of sources in order, with memory bounded by one row.
 * A file that was named must be readable; an unreadable or empty file inside a directory or glob is reported as skipped.
 * @throws SourceError for missing, empty or unreadable sources, and in strict mode for the first wrong row.
 */
export async function* readDocuments(
  sources: readonly (string | Source)[],
  options: ReadDocumentsOptions = {},
): AsyncGenerator<Document> {
  for await (const read of readRows(sources, options))
    if ('reason' in read) options.onWrongRow?.(read);
    else yield read;
}

/** The same, with the rows that could not be used where they are. */
export async function* readRows(
  sources: readonly (string | Source)[],
  options: ReadRowsOptions = {},
): AsyncGenerator<Document | WrongRow> {
  for await (const row of readUnparsedRows(sources, options)) yield 'json' in row ? parsed(row) : row;
}

/** A row of JSON that its reader parses, who then tells what was found in it: rows in the order of the file. */
export interface UnparsedRow extends JsonRow {
  tell(found: Found): void;
}

/** Parses a row of JSON, and tells what was found. */
export function parsed(row: UnparsedRow): Document | WrongRow {
  const { read, found } = readJsonRow(row);
  row.tell(found);
  return read;
}

/** The same, with rows of JSON as they are in the file. What they hold is counted as they are told of. */
export async function* readUnparsedRows(
  sources: readonly (string | Source)[],
  options: ReadRowsOptions = {},
): AsyncGenerator<Document | WrongRow | UnparsedRow> {
  if (sources.length === 0) throw new SourceError('expected at least one source, received none');
  const seen = new Map<string, string>();
  for (const source of sources) {
    const how: Source = typeof source === 'string' ? { path: source } : source;
    let numRead = 0;
    const skipped: string[] = [];
    for (const found of await findFiles(how.path)) {
      const report: FileReport = { file: found.file, documents: 0, wrongRows: 0, shapes: {} };
      if (found.unread !== undefined) report.skipped = found.unread;
      else {
        const before = seen.get(found.file);
        if (before !== undefined) report.repeats = before;
        seen.set(found.file, how.path);
        yield* readFile(found, how, options, report);
      }
      options.onFile?.(report);
      if (report.skipped === undefined) numRead++;
      else skipped.push(report.skipped);
    }
    if (numRead === 0) throw new SourceError(`${how.path}: no file in it can be read: ${skipped[0]}`);
  }
}

async function* readFile(
  file: FoundFile,
  how: Source,
  options: ReadRowsOptions,
  report: FileReport,
): AsyncGenerator<Document | WrongRow | UnparsedRow> {
  const rows = await openRows(file, how, report, options.onBytes);
  if (!rows) return;
  const { columns } = how;
  const { prefer } = options;
  for await (const row of guarded(rows, file.file)) {
    const place = { file: file.file, line: row.line };
    if ('json' in row) {
      yield { json: row.json, place, columns, prefer, tell: (what) => tally(what, place, report, options) };
      continue;
    }
    const { read, found } = readShaped('problem' in row ? row : shapeRow(row.value, columns, prefer), place);
    tally(found, place, report, options);
    yield read;
  }
}

/** Counts a row, and tells what in it is not used. @throws SourceError in strict mode for a wrong one. */
function tally(found: Found, { file, line }: Place, report: FileReport, { strict, onNote }: ReadRowsOptions): void {
  if ('problem' in found) {
    if (strict) throw new SourceError(`${file}:${line}: ${found.problem}; correct the row or read without strict`);
    report.wrongRows++;
    return;
  }
  report.documents++;
  report.shapes[found.shape] = (report.shapes[found.shape] ?? 0) + 1;
  for (const name of found.unused ?? []) onNote?.(file, `column "${name}" is not used (rows of shape ${found.shape})`);
}

async function openRows(
  found: FoundFile,
  how: Source,
  report: FileReport,
  onBytes?: (bytes: number) => void,
): Promise<AsyncIterable<RawRow> | undefined> {
  let bytes: OpenBytes | undefined;
  try {
    let numRead = 0;
    const count = (numBytes: number) => {
      numRead += numBytes;
      onBytes?.(numBytes);
    };
    bytes = await openBytes(found.file, count);
    const { head, isGzip } = bytes;
    const format = detectFormat(head, found.file, how.format);
    report.format = isGzip ? `${format.name}+gzip` : format.name;
    const advance = (numBytes: number) => count(Math.max(0, Math.round(numBytes) - numRead));
    return closing(format.read(bytes.chunks, how, { file: found.file, head, isGzip, advance }), bytes);
  } catch (error) {
    bytes?.close();
    if (found.isNamed || !(error instanceof SourceError)) throw error;
    report.skipped = error.message;
    return undefined;
  }
}

/** Closes the file after the rows, for formats that leave its bytes unread. */
async function* closing(rows: AsyncIterable<RawRow>, bytes: OpenBytes): AsyncGenerator<RawRow> {
  try {
    yield* rows;
  } finally {
    bytes.close();
  }
}

/** Names the file in errors that a format's decoder raises. */
async function* guarded(rows: AsyncIterable<RawRow>, file: string): AsyncGenerator<RawRow> {
  try {
    yield* rows;
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new SourceError(`${file}: cannot be decoded: ${(cause as Error).message}`, { cause });
  }
}
