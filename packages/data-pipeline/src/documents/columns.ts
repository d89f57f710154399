import { isUtf8 } from 'node:buffer';
import type { Conversation } from './conversation.js';
import { isForeign } from './foreign-value.js';

/** Names the columns of a row; dots and numbers reach inside: `instances.0.output`. */
export interface Columns {
  text?: string;
  messages?: string;
  system?: string;
  tools?: string;
  prompt?: string;
  input?: string;
  response?: string;
  /** A list of token ids, and the 0/1 list that marks its targets. */
  ids?: string;
  mask?: string;
}

/** A row read as a document, or the reason why it is none. */
export type ShapedRow =
  | { shape: string; text: string; unused?: string[] }
  | (Conversation & { shape: string; unused?: string[] })
  | { shape: string; ids: Int32Array; mask?: Uint8Array }
  | { problem: string };

/** Which reading a row gets that has several. */
export type Preference = 'text' | 'turns' | 'ids';

/** The value at a dotted path, or undefined. */
export function valueAt(row: unknown, path: string): unknown {
  if (row !== null && typeof row === 'object' && Object.hasOwn(row, path))
    return (row as Record<string, unknown>)[path];
  let value: unknown = row;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** A text, or the bytes of one: some programs write texts as binary columns. */
export function asText(value: unknown): unknown {
  return value instanceof Uint8Array && isUtf8(value) ? Buffer.from(value).toString('utf8') : value;
}

/** What kind of value it is, for messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value instanceof Number || typeof value === 'bigint') return 'a number';
  if (isForeign(value)) return `a ${value.kind}`;
  if (ArrayBuffer.isView(value)) return 'binary data';
  return value === undefined ? 'nothing' : `a ${typeof value}`;
}
