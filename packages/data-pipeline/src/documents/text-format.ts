import { isUtf8 } from 'node:buffer';
import type { Format, RawRow, ReadOptions, TextSplit } from './format.js';
import { withoutMark } from './json-formats.js';
import { MAX_LINE_BYTES, splitLines } from './split-lines.js';

/** Plain text in UTF-8; line ends become line feeds. */
export const text: Format = { name: 'text', detect: looksLikeText, read: readText };

const MAX_CHARACTERS = { file: 4 * 2 ** 20, line: 4 * 2 ** 20, separator: 4 * 2 ** 20, paragraphs: 4000 };

/** No zero bytes and few control characters; lines that are not UTF-8 are reported one by one. */
function looksLikeText(head: Buffer): boolean {
  let numControl = 0;
  for (const byte of head) {
    if (byte === 0) return false;
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) numControl++;
  }
  return numControl <= 0.02 * head.length;
}

async function* readText(chunks: AsyncIterable<Buffer>, options: ReadOptions): AsyncGenerator<RawRow> {
  const collector = new TextCollector(
    typeof options.split === 'object' ? options.split : { by: options.split ?? 'file' },
  );
  for await (const { bytes, line, isTooLong } of splitLines(chunks)) {
    if (isTooLong) yield { line, problem: `the line is longer than ${MAX_LINE_BYTES} bytes` };
    else if (!isUtf8(bytes)) yield { line, problem: 'not valid UTF-8' };
    else yield* collector.add((line === 1 ? withoutMark(bytes) : bytes).toString('utf8'), line);
  }
  yield* collector.flush();
}

class TextCollector {
  private lines: string[] = [];
  private numCharacters = 0;
  private startLine = 0;
  private readonly by: TextSplit['by'];
  private readonly maxCharacters: number;
  private readonly separator: string;

  constructor(split: TextSplit) {
    this.by = split.by;
    this.maxCharacters = split.maxCharacters ?? MAX_CHARACTERS[split.by];
    this.separator = split.separator ?? '---';
  }

  *add(line: string, number: number): Generator<RawRow> {
    if (this.by === 'separator' && line.trim() === this.separator) return yield* this.flush();
    // Paragraphs end at blank lines; once the document is three quarters full the next blank line closes it.
    const isFull = this.numCharacters + line.length > this.maxCharacters;
    const isBreak = this.by === 'paragraphs' && line.trim() === '' && this.numCharacters >= 0.75 * this.maxCharacters;
    if (this.by === 'line' || isFull || isBreak) yield* this.flush();
    if (this.lines.length === 0) {
      if (line.trim() === '') return;
      this.startLine = number;
    }
    for (const piece of cut(line, this.maxCharacters)) {
      if (this.numCharacters + piece.length > this.maxCharacters) yield* this.flush();
      this.lines.push(piece);
      this.numCharacters += piece.length + 1;
      this.startLine ||= number;
    }
  }

  *flush(): Generator<RawRow> {
    const value = this.lines.join('\n').trimEnd();
    const line = this.startLine;
    this.lines = [];
    this.numCharacters = 0;
    this.startLine = 0;
    if (value.trim() !== '') yield { line, value };
  }
}

function cut(line: string, maxCharacters: number): string[] {
  if (line.length <= maxCharacters) return [line];
  const pieces: string[] = [];
  for (let start = 0; start < line.length;) {
    let end = Math.min(line.length, start + maxCharacters);
    const isPair = end < line.length && (line.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    if (isPair && end - start > 1) end--;
    pieces.push(line.slice(start, end));
    start = end;
  }
  return pieces;
}
