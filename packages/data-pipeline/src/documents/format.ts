import type { Columns } from './row-shape.js';

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
}

/** One row of a file before it is shaped: a parsed value, or the reason why there is none. */
export type RawRow = { line: number; value: unknown } | { line: number; problem: string };

/** A file format: recognises content by its first bytes and turns a byte stream into rows. */
export interface Format {
  name: string;
  /** @param head the first bytes of the (decompressed) file. @param name the file's name, lower case. */
  detect(head: Buffer, name: string): boolean;
  /** Rows in file order; memory must stay bounded. `file` is for readers that need the file itself (`-` has none). */
  read(chunks: AsyncIterable<Buffer>, options: ReadOptions, file: string): AsyncIterable<RawRow>;
}
