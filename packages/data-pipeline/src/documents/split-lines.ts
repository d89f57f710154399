/** One line of a byte stream without its end-of-line bytes; `line` counts from 1. */
export interface Line {
  bytes: Buffer;
  line: number;
  /** True when the line was longer than the limit; `bytes` is then empty. */
  isTooLong: boolean;
}

/** Longest accepted line, in bytes. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Splits a byte stream at line feeds; memory is bounded by one line of at most `maxBytes`. */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes = MAX_LINE_BYTES): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let length = 0;
  let line = 1;
  const finish = (tail: Buffer): Line => {
    const isTooLong = length + tail.length > maxBytes;
    const whole = isTooLong ? Buffer.alloc(0) : pieces.length === 0 ? tail : Buffer.concat([...pieces, tail]);
    pieces = [];
    length = 0;
    const end = whole.at(-1) === CARRIAGE_RETURN ? whole.length - 1 : whole.length;
    return { bytes: whole.subarray(0, end), line: line++, isTooLong };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) {
      length += chunk.length - start;
      if (length <= maxBytes) pieces.push(chunk.subarray(start));
      else pieces = [];
    }
  }
  if (length > 0) yield finish(Buffer.alloc(0));
}
