import { z } from 'zod';
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
  close?(): void;
}

/** A kind of filter: what recipes say of it, and what makes it. Recipes, flags and types of options come from this. */
export interface FilterKind<N extends string, S extends z.ZodType, D extends boolean> {
  /** As in the recipe. */
  name: N;
  settings: S;
  /** Whether a recipe may say `true`, and a flag name it: it works without settings. */
  hasDefaults: D;
  description?: string;
  /**
   * Makes the filter.
   * @param out the folder of the shards.
   * @throws SourceError for settings out of range, and what cannot be read.
   */
  open(settings: z.output<S>, out: string): DocumentFilter | Promise<DocumentFilter>;
}

/** Declares a kind of filter; the types of its settings are kept. */
export const filterKind = <const N extends string, S extends z.ZodType, const D extends boolean>(
  kind: FilterKind<N, S, D>,
): FilterKind<N, S, D> => kind;

/** A share, 0 to 1. */
export const share = z.number().min(0).max(1).optional();
/** Bytes of memory. */
export const bytes = z.int().positive().optional();

/** A percentage for messages. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
