import { hashWords, mix, ngramKeys, wordsOf } from './words.js';

/**
 * MinHash signatures with one byte a permutation (b-bit minwise hashing, Li and König 2010): bytes of two signatures
 * agree with probability J + (1 - J) / 256, where J is the Jaccard similarity of the two sets of word n-grams.
 */
export class MinHash {
  private readonly seeds: Uint32Array;

  constructor(
    readonly numPermutations: number,
    readonly ngram: number,
  ) {
    this.seeds = Uint32Array.from({ length: numPermutations }, (_, i) => mix(0x9e3779b9 * (i + 1)));
  }

  /** The signature of a text; undefined for one without words. */
  signature(text: string): Uint8Array | undefined {
    const shingles = shinglesOf(text, this.ngram);
    if (shingles.length === 0) return undefined;
    return Uint8Array.from(this.seeds, (seed) => {
      let least = 0xffffffff;
      for (let i = 0; i < shingles.length; i++) {
        // A bijection of 32 bits for each seed: an odd factor after the seed, then the high bits folded into the low.
        let hash = Math.imul(shingles[i]! ^ seed, 0x85ebca6b);
        hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) >>> 0;
        if (hash < least) least = hash;
      }
      return mix(least);
    });
  }
}

/** The distinct word n-grams of a text as 32-bit hashes; all its words together where it has fewer than n. */
export function shinglesOf(text: string, ngram: number): Uint32Array {
  const hashes = hashWords(wordsOf(text));
  if (hashes.length === 0) return hashes;
  const keys = ngramKeys(hashes, Math.min(ngram, hashes.length));
  return Uint32Array.from(new Set(keys), (key) => mix(Math.floor(key / 2 ** 21)));
}

/** Jaccard similarity estimated from two signatures. */
export function estimateSimilarity(a: Uint8Array, b: Uint8Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return Math.max(0, (equal / a.length - 1 / 256) / (1 - 1 / 256));
}
