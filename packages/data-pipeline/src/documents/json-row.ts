import type { Columns, Preference, ShapedRow } from './columns.js';
import type { Document, Place, WrongRow } from './document.js';
import { parseJsonRow } from './json-formats.js';
import { shapeRow } from './row-shape.js';

/** A row of JSON before it is parsed, which any thread may do. */
export interface JsonRow {
  json: Buffer;
  place: Place;
  columns?: Columns | undefined;
  prefer?: Preference | undefined;
}

/** What a row is counted as, or why it is wrong. */
export type Found = { shape: string; unused?: string[] } | { problem: string };

/** A row's document, or the wrong row that it is, and what it is counted as. */
export interface ReadRow {
  read: Document | WrongRow;
  found: Found;
}

/** Parses a row and reads it as a document. */
export function readJsonRow({ json, place, columns, prefer }: JsonRow): ReadRow {
  const row = parseJsonRow(json, place.line);
  return readShaped('problem' in row ? row : shapeRow(row.value, columns, prefer), place);
}

/** The same of a row that is shaped. */
export function readShaped(shaped: ShapedRow, place: Place): ReadRow {
  if ('problem' in shaped) return { read: { ...place, reason: shaped.problem }, found: shaped };
  const { shape, ...content } = shaped;
  const read = { ...content, place };
  if (!('unused' in read) || read.unused === undefined) return { read, found: { shape } };
  const { unused } = read;
  delete read.unused;
  return { read, found: { shape, unused } };
}
