/** The bytes of one JSON value; `problem` says that the stream itself is broken at that line. */
export interface JsonPiece {
  bytes: Buffer;
  line: number;
  problem?: string;
}

/** Largest accepted element of a JSON array, in bytes. */
export const MAX_ELEMENT_BYTES = 64 * 2 ** 20;

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\,[]{}');
const isSpace = (byte: number) => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/**
 * Splits a JSON array into its elements, or a run of concatenated objects into objects, without parsing them.
 * Memory is bounded by one element.
 */
export async function* splitJsonValues(chunks: AsyncIterable<Buffer>): AsyncGenerator<JsonPiece> {
  const scanner = new JsonScanner();
  for await (const chunk of chunks) yield* scanner.scan(chunk);
  yield* scanner.finish();
}

/** The same of bytes that are there as a whole. */
export function* jsonValuesOf(bytes: Buffer): Generator<JsonPiece> {
  const scanner = new JsonScanner();
  yield* scanner.scan(bytes);
  yield* scanner.finish();
}

class JsonScanner {
  private pieces: Buffer[] = [];
  private numBytes = 0;
  private depth = 0;
  private line = 1;
  private startLine = 0;
  private isArray: boolean | undefined;
  private isDone = false;
  private inString = false;
  private isEscaped = false;

  *scan(chunk: Buffer): Generator<JsonPiece> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === 10) this.line++;
      if (this.inString) {
        this.stepString(byte);
        continue;
      }
      if (isSpace(byte)) continue;
      if (this.isDone) {
        yield { bytes: Buffer.alloc(0), line: this.line, problem: 'text after the end of the JSON array' };
        this.isDone = false;
        this.isArray = undefined;
        this.depth = 0;
        start = i;
      }
      if (this.isArray === undefined) {
        this.isArray = byte === OPEN;
        if (this.isArray) {
          this.depth = 1;
          start = i + 1;
          continue;
        }
      }
      const isEnd = this.step(byte);
      if (isEnd === undefined) continue;
      this.keep(chunk.subarray(start, isEnd === 'before' ? i : i + 1));
      start = i + 1;
      yield* this.emit();
    }
    if (start < chunk.length && !this.isDone) this.keep(chunk.subarray(start));
  }

  *finish(): Generator<JsonPiece> {
    const isCut = this.isArray === true && !this.isDone;
    if (!isCut && this.startLine === 0) return;
    const what = this.isArray ? 'the JSON array is not closed' : 'the JSON object is not closed';
    yield {
      bytes: Buffer.alloc(0),
      line: this.startLine || this.line,
      problem: `${what}: the file is cut off or has an unbalanced quote or bracket`,
    };
  }

  private stepString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.inString = false;
  }

  /** Where the current element ends, if this byte ends it: before the byte (array) or after it (objects in a row). */
  private step(byte: number): 'before' | 'after' | undefined {
    const base = this.isArray ? 1 : 0;
    if (this.depth === base && this.isArray && (byte === COMMA || byte === CLOSE)) {
      this.isDone = byte === CLOSE;
      return 'before';
    }
    if (this.startLine === 0) this.startLine = this.line;
    if (byte === QUOTE) this.inString = true;
    else if (byte === OPEN || byte === OPEN_OBJECT) this.depth++;
    else if (byte === CLOSE || byte === CLOSE_OBJECT) {
      this.depth = Math.max(base, this.depth - 1);
      if (!this.isArray && this.depth === 0) return 'after';
    }
    return undefined;
  }

  private keep(bytes: Buffer): void {
    this.numBytes += bytes.length;
    if (this.numBytes <= MAX_ELEMENT_BYTES) this.pieces.push(bytes);
    else this.pieces = [];
  }

  private *emit(): Generator<JsonPiece> {
    const isTooLong = this.numBytes > MAX_ELEMENT_BYTES;
    const piece = { bytes: isTooLong ? Buffer.alloc(0) : Buffer.concat(this.pieces), line: this.startLine };
    const isEmpty = this.startLine === 0;
    this.pieces = [];
    this.numBytes = 0;
    this.startLine = 0;
    if (isTooLong) yield { ...piece, problem: `the element is larger than ${MAX_ELEMENT_BYTES} bytes` };
    else if (!isEmpty) yield piece;
  }
}
