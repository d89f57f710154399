import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { documentText, SourceError, type Document } from '../documents/document.js';
import type { DocumentFilter, FilterKind } from './filter.js';
import { FILTER_KINDS, type FilterOptions } from './filter-kinds.js';
import { OVERLAP_FILE } from './overlap-filter.js';

/** What one filter did. */
export interface FilterReport {
  name: string;
  /** Documents that reached it, and of those the dropped ones. */
  seen: number;
  dropped: number;
  /** Dropped documents by reason. */
  reasons: Record<string, number>;
  /** The first of them as "file:line: reason (detail)"; all are in dropped.jsonl. */
  examples: string[];
  details?: Record<string, number | string | boolean>;
}

/** What all filters did. */
export interface FiltersReport {
  seen: number;
  kept: number;
  filters: FilterReport[];
}

const MAX_EXAMPLES = 10;

/** A chain of filters: a document is dropped by the first that objects. */
export class Filters {
  private readonly reports: FilterReport[];
  private readonly readsText: boolean;
  private numSeen = 0;

  private constructor(
    private readonly filters: DocumentFilter[],
    private readonly template: string | undefined,
  ) {
    this.readsText = filters.some(({ name }) => name !== 'exactDuplicates');
    this.reports = filters.map(({ name }) => ({ name, seen: 0, dropped: 0, reasons: {}, examples: [] }));
  }

  /**
   * Builds the filters in the order of {@link FILTER_KINDS}. `out` receives overlap.jsonl.
   * @throws SourceError for options out of range and unreadable evaluation sets.
   */
  static async open(options: FilterOptions, out: string, template?: string): Promise<Filters> {
    await rm(path.join(out, OVERLAP_FILE), { force: true });
    const filters: DocumentFilter[] = [];
    for (const kind of FILTER_KINDS as readonly FilterKind<keyof FilterOptions, z.ZodType, boolean>[]) {
      const settings = options[kind.name];
      if (settings) filters.push(await kind.open(settings === true ? {} : settings, out));
    }
    return new Filters(filters, template);
  }

  /** Whether every document is kept. */
  get areNone(): boolean {
    return this.filters.length === 0;
  }

  /** Why a document is dropped; undefined where every filter keeps it. @throws SourceError for ids where a filter reads text. */
  objection(document: Document): string | undefined {
    this.numSeen++;
    if ('ids' in document && this.readsText) {
      throw new SourceError('filters: token ids can be filtered by exactDuplicates only; filter the text before');
    }
    const text = this.readsText ? documentText(document, this.template) : '';
    return this.findReason(text, document);
  }

  /** What prepare.json says; undefined without filters. */
  report(): FiltersReport | undefined {
    if (this.filters.length === 0) return undefined;
    const dropped = this.reports.reduce((total, report) => total + report.dropped, 0);
    const filters = this.reports.map((report, i) => {
      const details = this.filters[i]!.details?.();
      return details ? { ...report, details } : report;
    });
    return { seen: this.numSeen, kept: this.numSeen - dropped, filters };
  }

  close(): void {
    for (const filter of this.filters) filter.close?.();
  }

  private findReason(text: string, document: Document): string | undefined {
    for (const [i, filter] of this.filters.entries()) {
      const report = this.reports[i]!;
      report.seen++;
      const objection = filter.check(text, document);
      if (!objection) continue;
      report.dropped++;
      report.reasons[objection.reason] = (report.reasons[objection.reason] ?? 0) + 1;
      const why = objection.detail === undefined ? objection.reason : `${objection.reason} (${objection.detail})`;
      if (report.examples.length < MAX_EXAMPLES) {
        report.examples.push(`${document.place.file}:${document.place.line}: ${why}`);
      }
      return `${filter.name}: ${why}`;
    }
    return undefined;
  }
}
