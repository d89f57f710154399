import { isUtf8 } from 'node:buffer';
import type { Format, ParsedRow, RawRow } from './format.js';
import { parsePythonJson } from './python-json.js';
import { MAX_LINE_BYTES, splitLines } from './split-lines.js';
import { jsonValuesOf, splitJsonValues } from './split-json-values.js';

/** One JSON value per line. */
export const jsonLines: Format = { name: 'jsonl', detect: looksLikeJsonLines, read: readJsonLines };

/** A JSON array of rows, or JSON objects one after another. */
export const json: Format = { name: 'json', detect: looksLikeJson, read: readJson };

function looksLikeJsonLines(head: Buffer, name: string): boolean {
  const text = start(head);
  if (/\.(jsonl|ndjson)(\.gz)?$/.test(name)) return true;
  if (!text.startsWith('{')) return false;
  const [first = '', second] = text.split('\n').filter((line) => line.trim() !== '');
  return parses(first) || (second !== undefined && second.startsWith('{'));
}

function looksLikeJson(head: Buffer, name: string): boolean {
  const text = start(head);
  if (/\.json(\.gz)?$/.test(name)) return true;
  return /^\[\s*[{"\]]/.test(text) || /^\{\s*"/.test(text);
}

async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  for await (const { bytes, line, isTooLong } of splitLines(chunks)) {
    if (isTooLong) yield { line, problem: `the line is longer than ${MAX_LINE_BYTES} bytes` };
    else if (!isBlank(bytes)) yield { line, json: line === 1 ? withoutMark(bytes) : bytes };
  }
}

async function* readJson(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  for await (const { bytes, line, problem } of splitJsonValues(skipMark(chunks))) {
    yield problem === undefined ? { line, json: bytes } : { line, problem };
  }
}

/**
 * The rows of a whole file of JSON lines, or of a JSON array, as the formats read them: JSON as Python writes it
 * ({@link parsePythonJson}), a byte order mark or none.
 */
export function jsonRows(marked: Buffer): ParsedRow[] {
  const bytes = withoutMark(marked);
  if (start(bytes.subarray(0, 1 << 16)).startsWith('['))
    return [...jsonValuesOf(bytes)].map(({ bytes: value, line, problem }) =>
      problem === undefined ? parseJsonRow(value, line) : { line, problem },
    );
  const rows: ParsedRow[] = [];
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const feed = bytes.indexOf(10, from);
    const end = feed < 0 ? bytes.length : feed;
    const text = bytes.subarray(from, bytes[end - 1] === 13 ? end - 1 : end);
    if (!isBlank(text)) rows.push(parseJsonRow(text, line));
    from = end + 1;
  }
  return rows;
}

/** The value of a row, or why it has none. */
export function parseJsonRow(bytes: Buffer, line: number): ParsedRow {
  if (!isUtf8(bytes)) return { line, problem: 'not valid UTF-8' };
  try {
    return { line, value: parsePythonJson(bytes.toString('utf8')) };
  } catch (error) {
    return { line, problem: `not valid JSON: ${(error as Error).message}` };
  }
}

function parses(text: string): boolean {
  try {
    parsePythonJson(text);
    return true;
  } catch {
    return false; // the answer to the question, not an error
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9);
}

function start(head: Buffer): string {
  return withoutMark(head).toString('utf8').trimStart();
}

/** Drops a UTF-8 byte order mark. */
export function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Drops the byte order mark of a stream. */
export async function* skipMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of chunks) {
    yield isFirst ? withoutMark(chunk) : chunk;
    isFirst = false;
  }
}
