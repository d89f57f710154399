// Random streams are pure functions of (seed, names, position). The generator is Threefry-2x32 with 20 rounds
// (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): 32-bit adds, rotations and exclusive-ors only.

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;
const TWO_32 = 4294967296;
const TWO_53 = 9007199254740992;
const INTEGER_NAME = 1;
const STRING_NAME = 2;

/** A pair of unsigned 32-bit words. */
export type WordPair = readonly [number, number];

/** One block of Threefry-2x32-20: a bijection of `counter` for every `key`. */
export function threefry2x32(key: WordPair, counter: WordPair): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, PARITY ^ key[0] ^ key[1]];
  let a = (counter[0] + keys[0]) | 0;
  let b = (counter[1] + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    const firstRotation = (group % 2) * 4;
    for (let round = 0; round < 4; round++) {
      const rotation = ROTATIONS[firstRotation + round];
      a = (a + b) | 0;
      b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    }
    a = (a + keys[(group + 1) % 3]) | 0;
    b = (b + keys[(group + 2) % 3] + group + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}

/** A deterministic random stream. */
export interface Random {
  /** The next number, uniform in [0, 1), 53 bits. */
  next(): number;
  /** The next integer, uniform in [0, n), without bias. @throws RangeError unless 1 <= n <= 2^53. */
  int(n: number): number;
  /** The next number of the standard normal distribution (Box-Muller; never beyond 6.7 in magnitude). */
  normal(): number;
  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<A extends unknown[] | Int32Array | Uint32Array | Float64Array>(array: A): A;
}

/**
 * The stream called `names` under `seed`: `seededRandom(recipe.seed, 'init', 'layer', 3)`. Streams with different
 * names are independent, so a new consumer never shifts the numbers of an old one.
 *
 * @throws RangeError when the seed or a numeric name is not a non-negative safe integer.
 */
export function seededRandom(seed: number, ...names: (string | number)[]): Random {
  const key = streamKey(seed, names);
  let position = 0;
  let spareNormal: number | undefined;
  const block = () => {
    const counter: WordPair = [position % TWO_32, Math.floor(position / TWO_32)];
    position++;
    return threefry2x32(key, counter);
  };
  const integer53 = () => {
    const [high, low] = block();
    return (high >>> 5) * 67108864 + (low >>> 6);
  };
  const int = (n: number) => {
    if (!Number.isInteger(n) || n < 1 || n > TWO_53)
      throw new RangeError(`int: expected 1 <= n <= 2^53, received ${n}`);
    const limit = TWO_53 - (TWO_53 % n);
    let value = integer53();
    while (value >= limit) value = integer53();
    return value % n;
  };
  const normal = () => {
    if (spareNormal !== undefined) {
      const value = spareNormal;
      spareNormal = undefined;
      return value;
    }
    const [first, second] = block();
    const radius = Math.sqrt(-2 * Math.log((first + 0.5) / TWO_32));
    const angle = (2 * Math.PI * second) / TWO_32;
    spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    next: () => integer53() / TWO_53,
    int,
    normal,
    shuffle: (array) => {
      for (let last = array.length - 1; last > 0; last--) {
        const other = int(last + 1);
        [array[last], array[other]] = [array[other], array[last]];
      }
      return array;
    },
  };
}

/** Folds the names, one 64-bit block at a time, into the key of the stream. */
function streamKey(seed: number, names: (string | number)[]): WordPair {
  let key: WordPair = [0, 0];
  const absorb = (low: number, high: number) => {
    key = threefry2x32(key, [low, high]);
  };
  const absorbInteger = (what: string, value: number) => {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`seededRandom: expected ${what} to be a non-negative safe integer, received ${value}`);
    }
    absorb(value % TWO_32, Math.floor(value / TWO_32));
  };
  absorbInteger('the seed', seed);
  for (const name of names) {
    if (typeof name === 'number') {
      absorb(INTEGER_NAME, 0);
      absorbInteger('a numeric name', name);
    } else {
      const bytes = new TextEncoder().encode(name);
      absorb(STRING_NAME, bytes.length);
      for (let start = 0; start < bytes.length; start += 8) {
        absorb(littleEndianWord(bytes, start), littleEndianWord(bytes, start + 4));
      }
    }
  }
  return key;
}

function littleEndianWord(bytes: Uint8Array, start: number): number {
  const byte = (offset: number) => bytes[start + offset] ?? 0;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}
