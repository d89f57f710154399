import type { Columns } from './columns.js';

/** How plain text becomes documents. */
export interface TextSplit {
  /**
   * `file`: one document per file. `line`: one per line. `paragraphs`: paragraphs (blank lines between them) gathered
   * up to `maxCharacters`. `separator`: a line equal to `separator` ends a document.
   */
  by: 'file' | 'line' | 'paragraphs' | 'separator';
  /** Longer documents are cut at a line end. Default 4,000 for paragraphs, 4 Mi otherwise. */
  maxCharacters?: number;
  /** The separating line; default `---`. */
  separator?: string;
}

/** How one source is read. */
export interface ReadOptions {
  /** A format name of the registry; by default the content decides. */
  format?: string;
  columns?: Columns;
  split?: TextSplit['by'] | TextSplit;
  /** Whether a CSV table begins with column names (default true); without, they are `0`, `1`, `2`. */
  header?: boolean;
}

/** What a format knows about the file besides its bytes. */
export interface ReadContext {
  /** The file's path; `-` is standard input. */
  file: string;
  /** The first decompressed bytes. */
  head: Buffer;
  isGzip: boolean;
  /** A format that reads the file itself tells how many of its bytes are done. */
  advance(numBytes: number): void;
}

/** A parsed value of a file, or the reason why there is none. */
export type ParsedRow = { line: number; value: unknown } | { line: number; problem: string };

/** One row of a file before it is shaped; of JSON, which another thread may parse, its bytes. */
export type RawRow = ParsedRow | { line: number; json: Buffer };

/** A file format: recognises content by its first bytes and turns a byte stream into rows. */
export interface Format {
  name: string;
  /** @param head the first bytes of the (decompressed) file. @param name the file's name, lower case. */
  detect(head: Buffer, name: string): boolean;
  /** Rows in file order; memory must stay bounded. */
  read(chunks: AsyncIterable<Buffer>, options: ReadOptions, context: ReadContext): AsyncIterable<RawRow>;
}
