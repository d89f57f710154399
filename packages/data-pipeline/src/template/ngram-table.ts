/** What a document's edges count as in an n-gram: before its first token, and after its last. */
const EDGE = 0x7fffffff;

/** Slots of a table: with few, or beyond the most, n-grams share slots, which makes counts a little too large. */
const [FEWEST_SLOTS, MOST_SLOTS] = [2 ** 18, 2 ** 24];

/** The smallest power of two that holds `entries` loosely. */
function slotsFor(entries: number): number {
  return Math.min(MOST_SLOTS, 2 ** Math.ceil(Math.log2(Math.max(FEWEST_SLOTS, 4 * entries))));
}

function mixed(state: number, id: number): number {
  let x = Math.imul(state ^ id, 0x9e3779b1);
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca6b);
  return x ^ (x >>> 13);
}

/** Hashes of every n-gram of a document: entry i is of the one whose first token is i - 1, where -1 is the edge before. */
export function ngramHashes(ids: ArrayLike<number>, n: number): Int32Array {
  const edged = new Int32Array(ids.length + 2).fill(EDGE);
  edged.set(ids, 1);
  const hashes = new Int32Array(Math.max(0, edged.length - n + 1));
  for (let i = 0; i < hashes.length; i++) {
    let hash = n;
    for (let j = i; j < i + n; j++) hash = mixed(hash, edged[j]!);
    hashes[i] = hash;
  }
  return hashes;
}

/** How often n-grams of one length occur, and in how many documents, by hash. */
export class NgramTable {
  private readonly places: Uint32Array;
  private readonly holders: Uint32Array;
  private readonly lastHolder: Uint32Array;
  private numDocuments = 0;

  /** @param entries n-grams that will be added. */
  constructor(entries: number) {
    const slots = slotsFor(entries);
    [this.places, this.holders, this.lastHolder] = [
      new Uint32Array(slots),
      new Uint32Array(slots),
      new Uint32Array(slots),
    ];
  }

  /** Adds the n-grams of one document. */
  add(hashes: Int32Array): void {
    const { places, holders, lastHolder } = this;
    const document = ++this.numDocuments;
    const mask = places.length - 1;
    for (const hash of hashes) {
      const slot = hash & mask;
      places[slot]!++;
      if (lastHolder[slot] === document) continue;
      lastHolder[slot] = document;
      holders[slot]!++;
    }
  }

  /** Times it occurs. */
  occurrences(hash: number): number {
    return this.places[hash & (this.places.length - 1)]!;
  }

  /** Documents that hold it. */
  documents(hash: number): number {
    return this.holders[hash & (this.holders.length - 1)]!;
  }
}
