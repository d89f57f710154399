import { createHash } from 'node:crypto';
import { documentContent, SourceError, type Document } from '../documents/document.js';
import type { HeldOut } from './prepare-options.js';

/** Hashes are whole numbers below this. */
const HASH_RANGE = 2 ** 48;

/** A seeded hash of a document's content: equal documents fall into the same split, wherever they come from. */
export function documentHash(document: Document, seed: number): number {
  return createHash('sha256').update(`${seed}\n`).update(documentContent(document)).digest().readUIntBE(0, 6);
}

/**
 * The hash below which documents are held out. A count needs one pass over the documents, with memory for `count` numbers.
 * @throws SourceError when a count is wanted of fewer documents than that, or the fraction is not in 0..1.
 */
export async function heldOutLimit(
  heldOut: HeldOut,
  seed: number,
  documents: () => AsyncIterable<Document>,
): Promise<number> {
  if ('fraction' in heldOut) {
    if (heldOut.fraction >= 0 && heldOut.fraction < 1) return Math.round(heldOut.fraction * HASH_RANGE);
    throw new SourceError(`heldOut: expected a fraction from 0 to below 1, received ${heldOut.fraction}`);
  }
  const count = heldOut.documents;
  if (!(Number.isInteger(count) && count >= 0))
    throw new SourceError(`heldOut: expected a number of documents, received ${count}`);
  if (count === 0) return 0;
  let smallest: number[] = [];
  let numDocuments = 0;
  for await (const document of documents()) {
    numDocuments++;
    smallest.push(documentHash(document, seed));
    if (smallest.length >= 2 * count + 1024) smallest = keepSmallest(smallest, count);
  }
  if (numDocuments <= count) {
    throw new SourceError(`heldOut: expected more than the ${count} documents to hold out, received ${numDocuments}`);
  }
  return keepSmallest(smallest, count).at(-1)! + 1;
}

function keepSmallest(values: number[], count: number): number[] {
  return values.sort((a, b) => a - b).slice(0, count);
}
