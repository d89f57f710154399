import { rm } from 'node:fs/promises';
import path from 'node:path';
import { documentText, SourceError, type Document, type WrongRow } from '../documents/document.js';
import { charactersFilter } from './characters-filter.js';
import { ExactDuplicates } from './exact-duplicates.js';
import type { DocumentFilter } from './filter.js';
import type { FilterOptions } from './filter-options.js';
import { languageFilter } from './language-filter.js';
import { lengthFilter } from './length-filter.js';
import { NearDuplicates } from './near-duplicates.js';
import { OverlapFilter } from './overlap-filter.js';
import { repetitionFilter } from './repetition-filter.js';

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

/** The file beside the shards that lists overlaps with evaluation sets. */
export const OVERLAP_FILE = 'overlap.jsonl';
const MAX_EXAMPLES = 10;

/** A chain of filters: a document is dropped by the first that objects. */
export class Filters {
  private readonly reports: FilterReport[];
  private numSeen = 0;

  private constructor(
    private readonly filters: DocumentFilter[],
    private readonly template: string | undefined,
  ) {
    this.reports = filters.map(({ name }) => ({ name, seen: 0, dropped: 0, reasons: {}, examples: [] }));
  }

  /**
   * Builds the filters, cheap ones first. `out` receives overlap.jsonl.
   * @throws SourceError for options out of range and unreadable evaluation sets.
   */
  static async open(options: FilterOptions, out: string, template?: string): Promise<Filters> {
    const { length, characters, language, repetition, exactDuplicates, nearDuplicates, overlap } = options;
    const file = path.join(out, OVERLAP_FILE);
    await rm(file, { force: true });
    const filters = [
      length && lengthFilter(length),
      characters && charactersFilter(settings(characters)),
      language && languageFilter(language),
      repetition && repetitionFilter(settings(repetition)),
      exactDuplicates && new ExactDuplicates(settings(exactDuplicates).maxBytes),
      nearDuplicates && new NearDuplicates(settings(nearDuplicates)),
      overlap && (await OverlapFilter.open(file, overlap)),
    ];
    return new Filters(
      filters.filter((filter) => filter !== undefined),
      template,
    );
  }

  /** The documents that every filter keeps. @throws SourceError for ids where a filter reads text. */
  async *apply(documents: AsyncIterable<Document>, onDropped: (row: WrongRow) => void): AsyncGenerator<Document> {
    const readsText = this.filters.some(({ name }) => name !== 'exactDuplicates');
    for await (const document of documents) {
      this.numSeen++;
      if ('ids' in document && readsText) {
        throw new SourceError('filters: token ids can be filtered by exactDuplicates only; filter the text before');
      }
      const text = readsText ? documentText(document, this.template) : '';
      const reason = this.findReason(text, document);
      if (reason === undefined) yield document;
      else onDropped({ ...document.place, reason });
    }
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

  async close(): Promise<void> {
    for (const filter of this.filters) await filter.close?.();
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

function settings<T extends object>(options: true | T): T | Record<string, never> {
  return options === true ? {} : options;
}
