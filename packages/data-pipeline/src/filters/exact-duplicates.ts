import { createHash } from 'node:crypto';
import { z } from 'zod';
import { documentContent } from '../documents/document.js';
import { bytes, type DocumentFilter, filterKind } from './filter.js';
import { PlaceList } from './place-list.js';

const settings = z.strictObject({
  maxBytes: bytes.describe('memory for earlier documents (default 1 GiB, some 25 million documents)'),
});

const MAX_LOAD = 0.7;
const DEFAULT_MAX_BYTES = 2 ** 30;
/** Two words of the hash, and the number of the document plus one (0 is free). */
const SLOT = 3;

/**
 * Drops documents whose content equals an earlier one's (64 bits of SHA-256). 25 to 43 bytes a document; when `maxBytes`
 * (default 1 GiB, some 25 million documents) are full, later documents are still compared with those remembered.
 */
export class ExactDuplicates implements DocumentFilter {
  readonly name = 'exactDuplicates';
  private readonly places = new PlaceList();
  private slots = new Uint32Array(SLOT * 1024);
  private numForgotten = 0;

  constructor(private readonly maxBytes = DEFAULT_MAX_BYTES) {}

  check(_text: string, document: Parameters<DocumentFilter['check']>[1]): ReturnType<DocumentFilter['check']> {
    const digest = createHash('sha256').update(documentContent(document)).digest();
    const high = digest.readUInt32LE(0);
    const low = digest.readUInt32LE(4);
    const slot = this.find(high, low);
    if (this.slots[slot + 2] !== 0) {
      return { reason: 'equal to an earlier document', detail: this.places.at(this.slots[slot + 2]! - 1) };
    }
    if (this.slots.byteLength + this.places.bytes > this.maxBytes) this.numForgotten++;
    else {
      this.slots.set([high, low, this.places.add(document.place) + 1], slot);
      if (this.places.length * SLOT > MAX_LOAD * this.slots.length) this.grow();
    }
    return undefined;
  }

  details(): Record<string, number> {
    return {
      remembered: this.places.length,
      notRemembered: this.numForgotten,
      bytes: this.slots.byteLength + this.places.bytes,
    };
  }

  private find(high: number, low: number): number {
    const mask = this.slots.length / SLOT - 1;
    for (let i = high & mask; ; i = (i + 1) & mask) {
      const at = SLOT * i;
      if (this.slots[at + 2] === 0 || (this.slots[at] === high && this.slots[at + 1] === low)) return at;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += SLOT) {
      if (old[at + 2] !== 0) this.slots.set(old.subarray(at, at + SLOT), this.find(old[at]!, old[at + 1]!));
    }
  }
}

/** Drops what equals an earlier document. */
export const exactDuplicates = filterKind({
  name: 'exactDuplicates',
  settings,
  description: 'documents equal to an earlier one',
  hasDefaults: true,
  open: ({ maxBytes }) => new ExactDuplicates(maxBytes),
});
