import type { Document } from '../documents/document.js';

/** Why a document is dropped: a reason that is counted, and what was found in this one. */
export interface Objection {
  reason: string;
  detail?: string;
}

/** One filter. Filters see the documents in order, and only those that the filters before it kept. */
export interface DocumentFilter {
  /** As in the recipe. */
  name: string;
  /** @param text the document as plain text; empty for ids. */
  check(text: string, document: Document): Objection | undefined;
  /** More than counts, for prepare.json. */
  details?(): Record<string, number | string | boolean>;
  close?(): Promise<void>;
}

/** A percentage for messages. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
