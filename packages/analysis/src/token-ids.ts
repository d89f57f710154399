import type { DensityCurve } from './density.js';

/** How often each id of a vocabulary occurs. @throws RangeError for an id outside it. */
export function countTokens(documents: Iterable<ArrayLike<number>>, vocabSize: number): Float64Array {
  const counts = new Float64Array(vocabSize);
  for (const ids of documents) {
    for (let i = 0; i < ids.length; i++) {
      if (!(ids[i] >= 0 && ids[i] < vocabSize))
        throw new RangeError(`countTokens: expected ids in 0..${vocabSize - 1}, received ${ids[i]}`);
      counts[ids[i]]++;
    }
  }
  return counts;
}

/** A token that one text uses more than another. */
export interface TokenPeak {
  id: number;
  /** Shares of all tokens, in [0, 1]. */
  share: number;
  referenceShare: number;
  /** What the token adds to KL(text || reference), in nats. */
  excess: number;
}

/** How the token ids of a text are distributed beside a reference's. */
export interface TokenShift {
  numTokens: number;
  numReferenceTokens: number;
  /** Jensen-Shannon divergence in bits, in [0, 1] (Lin 1991). */
  jensenShannon: number;
  /** The share of tokens that would have to be others, in [0, 1]. */
  totalVariation: number;
  /** The tokens with the largest excess, the largest first: the peaks of the text's density over the reference's. */
  peaks: TokenPeak[];
}

const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);
const information = (p: number, q: number): number => (p > 0 ? p * Math.log(p / q) : 0);

/**
 * Compares the token counts of a text with those of a reference over the same vocabulary. Distances are of the shares as
 * they are; a token's excess counts half an occurrence more on both sides, so that it is finite.
 * @throws RangeError where either has no tokens, or the vocabularies differ.
 */
export function tokenShift(counts: Float64Array, reference: Float64Array, { numPeaks = 20 } = {}): TokenShift {
  const [numTokens, numReferenceTokens] = [sum(counts), sum(reference)];
  if (counts.length !== reference.length || numTokens === 0 || numReferenceTokens === 0)
    throw new RangeError(
      `tokenShift: expected tokens of one vocabulary on both sides, received ${numTokens} of ${counts.length} ids and ${numReferenceTokens} of ${reference.length}`,
    );
  const V = counts.length;
  const smoothed = (count: number, total: number): number => (count + 0.5) / (total + 0.5 * V);
  let [jensenShannon, totalVariation] = [0, 0];
  const peaks: TokenPeak[] = [];
  for (let id = 0; id < V; id++) {
    const [p, q] = [counts[id] / numTokens, reference[id] / numReferenceTokens];
    jensenShannon += (information(p, (p + q) / 2) + information(q, (p + q) / 2)) / (2 * Math.LN2);
    totalVariation += Math.abs(p - q) / 2;
    const excess = information(smoothed(counts[id], numTokens), smoothed(reference[id], numReferenceTokens));
    if (p > q) peaks.push({ id, share: p, referenceShare: q, excess });
  }
  peaks.sort((a, b) => b.excess - a.excess || a.id - b.id);
  return { numTokens, numReferenceTokens, jensenShannon, totalVariation, peaks: peaks.slice(0, numPeaks) };
}

/** Gaussian kernel density of token ids; bandwidth in ids, by default 0.5% of the vocabulary. */
export function tokenDensity(
  counts: Float64Array,
  options: { points?: number; bandwidth?: number } = {},
): DensityCurve {
  const V = counts.length;
  const { points = 400, bandwidth = Math.max(1, V / 200) } = options;
  const norm = 1 / (sum(counts) * bandwidth * Math.sqrt(2 * Math.PI));
  const x = Array.from({ length: points }, (_, i) => ((V - 1) * i) / (points - 1));
  const y = x.map((at) => {
    const [from, to] = [Math.max(0, Math.floor(at - 6 * bandwidth)), Math.min(V - 1, Math.ceil(at + 6 * bandwidth))];
    let density = 0;
    for (let id = from; id <= to; id++) density += counts[id] * Math.exp(-0.5 * ((at - id) / bandwidth) ** 2);
    return norm * density;
  });
  return { x, y };
}
