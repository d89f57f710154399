import path from 'node:path';
import { makeFolder } from '@lethe/run';
import { z } from 'zod';
import { documentText, SourceError, type Document, type Place } from '../documents/document.js';
import { readDocuments } from '../documents/read-documents.js';
import { sourceSchema } from '../documents/source-schema.js';
import { ListFile } from '../shards/list-file.js';
import { type DocumentFilter, filterKind, type Objection } from './filter.js';
import { hashWords, ngramKeys, wordsOf } from './words.js';

const settings = z.strictObject({
  sets: z.array(sourceSchema).min(1).describe('evaluation sets, read like any source'),
  ngram: z.int().positive().optional().describe('words in a row that count as overlap (default 13)'),
  drop: z.boolean().optional().describe('drop documents that overlap instead of only listing them (default false)'),
});

/** Overlap with evaluation sets. */
export type OverlapOptions = z.output<typeof settings>;

/** The file beside the shards that lists overlaps with evaluation sets. */
export const OVERLAP_FILE = 'overlap.jsonl';

/** A first line of overlap.jsonl, for each file of the evaluation sets: what was looked for. */
export interface OverlapSearch {
  searched: {
    file: string;
    ngram: number;
    /** Items that have an n-gram. */
    items: number;
    /** Rows of the others: whether they overlap is not known. */
    tooShort: number[];
  };
}

/** A further line of overlap.jsonl: an evaluation item that shares an n-gram with a document. */
export interface OverlapFinding {
  /** File and row of the evaluation set's item. */
  evaluation: Place;
  /** File and row of the document. */
  document: Place;
  /** Distinct n-grams of the item that the document has, and those it has in all. */
  ngrams: number;
  itemNgrams: number;
  /** The first shared words. */
  example: string;
}

interface Item {
  place: Place;
  numNgrams: number;
}

/**
 * Finds documents that share a run of `ngram` words (default 13, as GPT-3 and Gopher) with evaluation items, and lists
 * them in a JSONL file. Memory: about 50 bytes for each n-gram of the evaluation sets, none for the documents.
 */
export class OverlapFilter implements DocumentFilter {
  readonly name = 'overlap';
  private readonly items: Item[] = [];
  private readonly itemsOf = new Map<number, number | number[]>();
  private readonly searches = new Map<string, OverlapSearch>();
  private numShort = 0;
  private numDocuments = 0;
  private readonly found = new Set<number>();
  private out: ListFile | undefined;

  private constructor(
    private readonly file: string,
    private readonly ngram: number,
    private readonly drops: boolean,
  ) {}

  /** Reads the evaluation sets. @throws SourceError when one cannot be read, or no item is long enough. */
  static async open(file: string, { sets, ngram = 13, drop = false }: OverlapOptions): Promise<OverlapFilter> {
    if (!(Number.isInteger(ngram) && ngram >= 1)) {
      throw new SourceError(`filters.overlap.ngram: expected a number of words, received ${ngram}`);
    }
    const filter = new OverlapFilter(file, ngram, drop);
    for await (const document of readDocuments(sets)) filter.addItem(document);
    makeFolder(path.dirname(file));
    if (filter.items.length > 0) return filter;
    throw new SourceError(
      `filters.overlap: expected evaluation items of at least ${ngram} words, received ${filter.numShort} shorter ones; lower ngram`,
    );
  }

  check(text: string, document: Document): Objection | undefined {
    const words = wordsOf(text);
    const shared = new Map<number, { keys: Set<number>; at: number }>();
    for (const [at, key] of ngramKeys(hashWords(words), this.ngram).entries()) {
      for (const item of this.itemsWith(key)) {
        const entry = shared.get(item);
        if (entry) entry.keys.add(key);
        else shared.set(item, { keys: new Set([key]), at });
      }
    }
    if (shared.size === 0) return undefined;
    this.numDocuments++;
    for (const [number, { keys, at }] of shared) {
      this.found.add(number);
      const { place, numNgrams } = this.items[number]!;
      const example = words.slice(at, at + this.ngram).join(' ');
      const ngrams = keys.size;
      this.write({ evaluation: place, document: document.place, ngrams, itemNgrams: numNgrams, example });
    }
    const { place } = this.items[shared.keys().next().value!]!;
    const detail = `${place.file}:${place.line}`;
    return this.drops ? { reason: `shares ${this.ngram} words with an evaluation item`, detail } : undefined;
  }

  details(): Record<string, number> {
    return {
      ngram: this.ngram,
      items: this.items.length,
      itemsTooShort: this.numShort,
      itemsFound: this.found.size,
      documentsWithOverlap: this.numDocuments,
    };
  }

  close(): void {
    this.list().close();
  }

  private addItem(document: Document): void {
    const keys = new Set(ngramKeys(hashWords(wordsOf(documentText(document))), this.ngram));
    const { file, line } = document.place;
    const search = this.searches.get(file) ?? { searched: { file, ngram: this.ngram, items: 0, tooShort: [] } };
    this.searches.set(file, search);
    if (keys.size === 0) {
      this.numShort++;
      search.searched.tooShort.push(line);
      return;
    }
    search.searched.items++;
    const item = this.items.push({ place: document.place, numNgrams: keys.size }) - 1;
    for (const key of keys) {
      const known = this.itemsOf.get(key);
      this.itemsOf.set(key, known === undefined ? item : [known, item].flat());
    }
  }

  private itemsWith(key: number): readonly number[] {
    const items = this.itemsOf.get(key);
    if (items === undefined) return [];
    return typeof items === 'number' ? [items] : items;
  }

  private write(finding: OverlapFinding): void {
    this.list().add(finding);
  }

  /** overlap.jsonl, begun with what is searched for. */
  private list(): ListFile {
    if (this.out) return this.out;
    this.out = new ListFile(this.file);
    for (const search of this.searches.values()) this.out.add(search);
    return this.out;
  }
}

/** Lists, or drops, what shares words with evaluation sets. */
export const overlap = filterKind({
  name: 'overlap',
  settings,
  hasDefaults: false,
  description: 'n-grams shared with evaluation sets, listed in overlap.jsonl',
  open: (options, out) => OverlapFilter.open(path.join(out, OVERLAP_FILE), options),
});
