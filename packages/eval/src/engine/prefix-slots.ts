import { checkFinite, forwardRagged, KvCache, type Llama } from '@lethe/model';
import { holdsBf16 } from '@lethe/tensor';

/** Memory for keys and values, at most, unless a single slot needs more. */
const CACHE_BYTES = 2 ** 30;
const MAX_SLOTS = 16;
/** Tokens of a prefix read in one pass. */
const TOKENS_PER_PASS = 512;

/** Tokens of one slot that continue what it holds. */
export interface SlotTokens {
  slot: number;
  ids: number[];
}

/** How many leading ids all sequences, one or more, have in common, at most `most`. */
export function commonPrefixLength(sequences: readonly ArrayLike<number>[], most = Infinity): number {
  const [first] = sequences;
  let length = Math.min(most, first.length);
  for (const sequence of sequences) {
    let same = 0;
    while (same < length && same < sequence.length && sequence[same] === first[same]) same++;
    length = same;
  }
  return length;
}

/** Caches that all begin with the same prefix, which is read once: the shots of a benchmark. */
export class PrefixSlots {
  private readonly caches: KvCache[];

  /** @param tailTokens most tokens that follow the prefix in a slot; @param wanted slots that would be of use. */
  constructor(
    private readonly model: Llama,
    private readonly prefix: number[],
    { tailTokens, wanted }: { tailTokens: number; wanted: number },
  ) {
    const { numLayers, numKeyValueHeads, headDim } = model.config;
    const capacity = prefix.length + tailTokens;
    const bytes = capacity * 2 * (holdsBf16() ? 2 : 4) * numLayers * numKeyValueHeads * headDim;
    const count = Math.max(1, Math.min(MAX_SLOTS, wanted, Math.floor(CACHE_BYTES / bytes)));
    this.caches = Array.from({ length: count }, () => new KvCache(model.config, 1, capacity));
    for (let from = 0; from < prefix.length; from += TOKENS_PER_PASS) {
      const ids = prefix.slice(from, from + TOKENS_PER_PASS);
      forwardRagged(model, [{ ids, cache: this.caches[0] }], [], () => {});
    }
    for (const cache of this.caches.slice(1)) cache.copyFrom(this.caches[0]);
  }

  /** Slots there is memory for. */
  get count(): number {
    return this.caches.length;
  }

  /**
   * One forward pass. @param rows whose logits [V] `visit` gets, counted over all tokens in order.
   * @throws NonFiniteError where they are none: no score and no text can be made of them.
   */
  read(parts: SlotTokens[], rows: number[], visit: (index: number, logits: Float32Array) => void): void {
    const continuations = parts.map(({ slot, ids }) => ({ ids, cache: this.caches[slot] }));
    forwardRagged(this.model, continuations, rows, (index, logits) => {
      checkFinite(this.model, logits, `logits ${index + 1} of ${rows.length} of a forward pass over prompts`);
      visit(index, logits);
    });
  }

  /** Empties a slot down to the prefix. */
  rewind(slot: number): void {
    this.caches[slot].rewind(this.prefix.length);
  }

  /** Releases the memory. */
  dispose(): void {
    for (const cache of this.caches) cache.dispose();
  }
}
