/** A 32-bit hash of whole numbers, each taken modulo 2^64 in two halves; the order of parts matters. */
export function hashNumbers(...parts: number[]): number {
  let state = 0x9e3779b9;
  for (const part of parts) {
    state = scramble(state ^ (part >>> 0));
    state = scramble(state ^ (Math.floor(part / 2 ** 32) >>> 0));
  }
  return state;
}

/** The finaliser of MurmurHash3: a bijection on 32 bits in which every input bit reaches every output bit. */
function scramble(value: number): number {
  let x = (value + 0x6d2b79f5) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const NUM_ROUNDS = 6;

/**
 * A pseudo-random permutation of 0..size-1 that is computed entry by entry: a Feistel network on the smallest even-round
 * domain of 2^bits >= size, walked until it lands below `size` (fewer than two steps on average). No state, no table.
 */
export class Permutation {
  private readonly lowBits: number;
  private readonly highBits: number;
  private readonly keys: number[];

  /** @param key any whole numbers; equal keys give equal permutations. @throws RangeError for a bad size. */
  constructor(
    readonly size: number,
    ...key: number[]
  ) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new RangeError(`Permutation: expected a size of at least 1, received ${size}`);
    const bits = Math.max(2, Math.ceil(Math.log2(size)));
    this.lowBits = Math.ceil(bits / 2);
    this.highBits = bits - this.lowBits;
    this.keys = Array.from({ length: NUM_ROUNDS }, (_, round) => hashNumbers(...key, size, round));
  }

  /** Where entry `index` goes. @throws RangeError outside 0..size-1. */
  at(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.size)) {
      throw new RangeError(`Permutation: expected an index in 0..${this.size - 1}, received ${index}`);
    }
    let value = index;
    do value = this.encrypt(value);
    while (value >= this.size);
    return value;
  }

  private encrypt(value: number): number {
    const lowMask = 2 ** this.lowBits - 1;
    const highMask = 2 ** this.highBits - 1;
    let high = Math.floor(value / (lowMask + 1));
    let low = value - high * (lowMask + 1);
    for (let round = 0; round < NUM_ROUNDS; round += 2) {
      high = (high ^ (scramble(low ^ this.keys[round]!) & highMask)) >>> 0;
      low = (low ^ (scramble(high ^ this.keys[round + 1]!) & lowMask)) >>> 0;
    }
    return high * (lowMask + 1) + low;
  }
}
