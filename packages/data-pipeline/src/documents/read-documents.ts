import { SourceError, type Document, type WrongRow } from './document.js';
import { findFiles, type FoundFile } from './find-files.js';
import type { RawRow, ReadOptions } from './format.js';
import { detectFormat } from './format-registry.js';
import { openBytes, type OpenBytes } from './open-bytes.js';
import type { Preference } from './columns.js';
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
  options: Omit<ReadDocumentsOptions, 'onWrongRow'> = {},
): AsyncGenerator<Document | WrongRow> {
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
  found: FoundFile,
  how: Source,
  options: ReadDocumentsOptions,
  report: FileReport,
): AsyncGenerator<Document | WrongRow> {
  const rows = await openRows(found, how, report, options.onBytes);
  if (!rows) return;
  const { file } = found;
  for await (const row of guarded(rows, file)) {
    const place = { file, line: row.line };
    const shaped = 'problem' in row ? row : shapeRow(row.value, how.columns, options.prefer);
    if ('problem' in shaped) {
      if (options.strict)
        throw new SourceError(`${file}:${row.line}: ${shaped.problem}; correct the row or read without strict`);
      report.wrongRows++;
      yield { ...place, reason: shaped.problem };
      continue;
    }
    report.documents++;
    report.shapes[shaped.shape] = (report.shapes[shaped.shape] ?? 0) + 1;
    const { shape, ...content } = shaped;
    if ('unused' in content) {
      for (const name of content.unused ?? [])
        options.onNote?.(file, `column "${name}" is not used (rows of shape ${shape})`);
      delete content.unused;
    }
    yield { ...content, place };
  }
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
