import { MAX_LINE_BYTES } from './split-lines.js';

/** The fields of one CSV record, or what is wrong with it; `line` is where it begins. */
export type CsvRecord = { line: number; fields: Buffer[] } | { line: number; problem: string };

const [QUOTE, LINE_FEED, CARRIAGE_RETURN] = Buffer.from('"\n\r');

/**
 * Splits a byte stream into CSV records (RFC 4180; line feeds with or without carriage returns; blank lines are none).
 * A field that goes on after its closing quote does so as it is written, as pandas reads it. Memory is bounded by one record.
 */
export async function* splitCsvRecords(chunks: AsyncIterable<Buffer>, delimiter: string): AsyncGenerator<CsvRecord> {
  const scanner = new CsvScanner(delimiter.charCodeAt(0));
  for await (const chunk of chunks) yield* scanner.scan(chunk);
  yield* scanner.finish();
}

/** The same of bytes that are there as a whole, separated by commas unless told otherwise. */
export function csvRecords(bytes: Buffer, delimiter = ','): CsvRecord[] {
  const scanner = new CsvScanner(delimiter.charCodeAt(0));
  return [...scanner.scan(bytes), ...scanner.finish()];
}

type State = 'start' | 'plain' | 'quoted' | 'closed';

class CsvScanner {
  private state: State = 'start';
  private pieces: Buffer[] = [];
  private numBytes = 0;
  /** Ends of fields in the record's bytes. */
  private ends: number[] = [];
  private problem: string | undefined;
  private line = 1;
  private startLine = 1;

  constructor(private readonly delimiter: number) {}

  *scan(chunk: Buffer): Generator<CsvRecord> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === LINE_FEED) this.line++;
      if (!this.endsRecord(byte, this.numBytes + i - start)) continue;
      this.keep(chunk.subarray(start, i));
      yield* this.emit();
      start = i + 1;
    }
    this.keep(chunk.subarray(start));
  }

  *finish(): Generator<CsvRecord> {
    if (this.state === 'quoted') this.problem = `the quote that opens here never closes, up to line ${this.line}`;
    if (this.numBytes > 0) yield* this.emit();
  }

  /** Steps over one byte at a position in the record; true for the line feed that ends it. */
  private endsRecord(byte: number, position: number): boolean {
    const { state } = this;
    if (state === 'quoted') {
      if (byte === QUOTE) this.state = 'closed';
      return false;
    }
    if (byte === LINE_FEED) return true;
    if (byte === this.delimiter) {
      this.ends.push(position);
      this.state = 'start';
    } else if (byte === QUOTE && (state === 'start' || state === 'closed')) this.state = 'quoted';
    else if (byte !== CARRIAGE_RETURN) this.state = 'plain';
    return false;
  }

  private keep(bytes: Buffer): void {
    this.numBytes += bytes.length;
    if (this.numBytes > MAX_LINE_BYTES) {
      this.problem ??= `the record is longer than ${MAX_LINE_BYTES} bytes`;
      this.pieces = [];
    } else if (bytes.length > 0) this.pieces.push(bytes);
  }

  private *emit(): Generator<CsvRecord> {
    const { startLine, problem, ends } = this;
    const bytes = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    this.state = 'start';
    this.pieces = [];
    this.numBytes = 0;
    this.ends = [];
    this.problem = undefined;
    this.startLine = this.line;
    if (problem !== undefined) {
      yield { line: startLine, problem };
      return;
    }
    const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    if (end === 0) return;
    const starts = [0, ...ends.map((at) => at + 1)];
    yield { line: startLine, fields: starts.map((from, i) => unquoted(bytes.subarray(from, ends[i] ?? end))) };
  }
}

function unquoted(field: Buffer): Buffer {
  if (field[0] !== QUOTE) return field;
  const end = closingQuote(field);
  const after = field.at(-1) === CARRIAGE_RETURN ? field.subarray(end + 1, -1) : field.subarray(end + 1);
  const inside = field.subarray(1, end);
  if (!inside.includes('""')) return after.length === 0 ? inside : Buffer.concat([inside, after]);
  return Buffer.concat([Buffer.from(inside.toString('latin1').replaceAll('""', '"'), 'latin1'), after]);
}

/** Where the text between quotes ends; two quotes in a row are one of the text. */
function closingQuote(field: Buffer): number {
  let at = field.indexOf(QUOTE!, 1);
  while (at >= 0 && field[at + 1] === QUOTE) at = field.indexOf(QUOTE!, at + 2);
  return at < 0 ? field.length : at;
}
