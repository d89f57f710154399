import { z } from 'zod';
import { SourceError } from '../documents/document.js';
import { bytes, type DocumentFilter, filterKind, percent } from './filter.js';
import { estimateSimilarity, MinHash } from './min-hash.js';
import { PlaceList } from './place-list.js';
import { mix } from './words.js';

const settings = z.strictObject({
  similarity: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('least estimated Jaccard similarity of word n-grams (default 0.8)'),
  ngram: z.int().positive().optional().describe('words in an n-gram (default 5)'),
  bands: z
    .int()
    .positive()
    .optional()
    .describe('bands of the signature: documents that agree in one are compared (default 24)'),
  rows: z.int().positive().optional().describe('permutations in a band (default 5)'),
  maxBytes: bytes.describe('memory for earlier documents (default 2 GiB, some 5 million documents)'),
});

/** What counts as a near duplicate, and how it is found. */
export type NearDuplicatesOptions = z.output<typeof settings>;

const MAX_LOAD = 0.7;
/** Documents compared in one band at most; more share only boilerplate. */
const MAX_CANDIDATES = 64;

/**
 * Drops documents that resemble an earlier kept one: MinHash with locality-sensitive hashing in bands. Two documents of
 * similarity s are compared with probability 1 - (1 - s^rows)^bands: 0.9999 at 0.8, 0.5 at 0.48. Memory a document with
 * the defaults: 120 bytes of signature, 8 of place, and 24 table entries of 4 bytes at a load of 0.35 to 0.7, so 265 to
 * 400 in all. When `maxBytes` are full, later documents are still compared with those remembered.
 */
export class NearDuplicates implements DocumentFilter {
  readonly name = 'nearDuplicates';
  private readonly minHash: MinHash;
  private readonly places = new PlaceList();
  private signatures: Uint8Array;
  /** Open addressing: document * bands + band + 1, or 0. */
  private table = new Uint32Array(2 ** 12);
  private numForgotten = 0;
  private readonly options: Required<NearDuplicatesOptions>;

  constructor(options: NearDuplicatesOptions = {}) {
    this.options = { similarity: 0.8, ngram: 5, bands: 24, rows: 5, maxBytes: 2 ** 31, ...options };
    const { similarity, ngram, bands, rows } = this.options;
    if (!(similarity > 0 && similarity <= 1)) {
      throw new SourceError(
        `filters.nearDuplicates.similarity: expected a number above 0 and up to 1, received ${similarity}`,
      );
    }
    for (const [name, value] of Object.entries({ ngram, bands, rows })) {
      if (Number.isInteger(value) && value >= 1 && value <= 256) continue;
      throw new SourceError(`filters.nearDuplicates.${name}: expected a whole number of 1 to 256, received ${value}`);
    }
    this.minHash = new MinHash(bands * rows, ngram);
    this.signatures = new Uint8Array(1024 * this.minHash.numPermutations);
  }

  check(text: string, document: Parameters<DocumentFilter['check']>[1]): ReturnType<DocumentFilter['check']> {
    const signature = this.minHash.signature(text);
    if (!signature) return undefined;
    const found = this.findSimilar(signature);
    if (found) {
      const detail = `${percent(found.similarity)} like ${this.places.at(found.document)}`;
      return { reason: `at least ${percent(this.options.similarity)} like an earlier document`, detail };
    }
    if (this.bytes() > this.options.maxBytes) this.numForgotten++;
    else this.remember(signature, document.place);
    return undefined;
  }

  details(): Record<string, number> {
    const { similarity, ngram, bands, rows } = this.options;
    const remembered = { remembered: this.places.length, notRemembered: this.numForgotten, bytes: this.bytes() };
    return { similarity, ngram, bands, rows, ...remembered };
  }

  private bytes(): number {
    return this.signatures.byteLength + this.table.byteLength + this.places.bytes;
  }

  private findSimilar(signature: Uint8Array): { document: number; similarity: number } | undefined {
    const { bands, rows, similarity: least } = this.options;
    for (let band = 0; band < bands; band++) {
      let numCandidates = 0;
      for (let at = this.home(signature, band); this.table[at] !== 0; at = this.next(at)) {
        const entry = this.table[at]! - 1;
        const document = Math.floor(entry / bands);
        const other = this.signatureOf(document);
        if (entry % bands !== band || !equalBand(signature, other, band, rows)) continue;
        const similarity = estimateSimilarity(signature, other);
        if (similarity >= least) return { document, similarity };
        if (++numCandidates === MAX_CANDIDATES) break;
      }
    }
    return undefined;
  }

  private remember(signature: Uint8Array, place: Parameters<PlaceList['add']>[0]): void {
    const document = this.places.add(place);
    const start = document * signature.length;
    if (start === this.signatures.length) {
      const longer = new Uint8Array(2 * this.signatures.length);
      longer.set(this.signatures);
      this.signatures = longer;
    }
    this.signatures.set(signature, start);
    if (this.places.length * this.options.bands > MAX_LOAD * this.table.length) this.grow();
    else this.enter(document);
  }

  private enter(document: number): void {
    const signature = this.signatureOf(document);
    for (let band = 0; band < this.options.bands; band++) {
      let at = this.home(signature, band);
      while (this.table[at] !== 0) at = this.next(at);
      this.table[at] = document * this.options.bands + band + 1;
    }
  }

  private grow(): void {
    this.table = new Uint32Array(2 * this.table.length);
    for (let document = 0; document < this.places.length; document++) this.enter(document);
  }

  private signatureOf(document: number): Uint8Array {
    const { numPermutations } = this.minHash;
    return this.signatures.subarray(document * numPermutations, (document + 1) * numPermutations);
  }

  private home(signature: Uint8Array, band: number): number {
    const { rows } = this.options;
    let hash = mix(band + 1);
    for (let i = band * rows; i < (band + 1) * rows; i++) hash = Math.imul(hash ^ signature[i]!, 0x01000193);
    return mix(hash) & (this.table.length - 1);
  }

  private next(at: number): number {
    return (at + 1) & (this.table.length - 1);
  }
}

function equalBand(a: Uint8Array, b: Uint8Array, band: number, rows: number): boolean {
  for (let i = band * rows; i < (band + 1) * rows; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Drops what resembles an earlier document. */
export const nearDuplicates = filterKind({
  name: 'nearDuplicates',
  settings,
  hasDefaults: true,
  description: 'MinHash; true: Jaccard similarity 0.8 of word 5-grams',
  open: (options) => new NearDuplicates(options),
});
