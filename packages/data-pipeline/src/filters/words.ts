/** Scripts written without spaces count character by character. */
const ALONE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const IN_WORD = /[\p{L}\p{M}\p{N}]/u;

const BETWEEN = 1;
const INSIDE = 2;
const SINGLE = 3;
/** Kinds of UTF-16 code units, found once each: a regular expression on every character would take most of the time. */
const kinds = new Uint8Array(2 ** 16);

/** The words of a text in lower case, without punctuation. */
export function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  const words: string[] = [];
  let start = -1;
  for (let i = 0; i < lower.length;) {
    const unit = lower.charCodeAt(i);
    const isPair = (unit & 0xfc00) === 0xd800 && i + 1 < lower.length;
    const size = isPair ? 2 : 1;
    const kind = isPair ? kindOf(lower.slice(i, i + 2)) : kinds[unit] || (kinds[unit] = kindOf(lower[i]!));
    if (kind === INSIDE) {
      if (start < 0) start = i;
    } else {
      if (start >= 0) words.push(lower.slice(start, i));
      start = -1;
      if (kind === SINGLE) words.push(lower.slice(i, i + size));
    }
    i += size;
  }
  if (start >= 0) words.push(lower.slice(start));
  return words;
}

function kindOf(character: string): number {
  if (ALONE.test(character)) return SINGLE;
  return IN_WORD.test(character) ? INSIDE : BETWEEN;
}

/** A 32-bit hash of each word (FNV-1a over UTF-16 code units, then mixed). */
export function hashWords(words: readonly string[]): Uint32Array {
  return Uint32Array.from(words, (word) => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    return mix(hash);
  });
}

/** A bijection of 32 bits in which every input bit reaches every output bit. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const BASES = [0x01000193, 0x5bd1e995] as const;

/**
 * A 53-bit key of every run of `n` words, from two rolling polynomials modulo 2^32; empty for fewer words.
 * Different runs share a key with a chance of about 1 in 10^16.
 */
export function ngramKeys(hashes: Uint32Array, n: number): Float64Array {
  const keys = new Float64Array(Math.max(0, hashes.length - n + 1));
  const [first, second] = BASES.map((base) => rolling(hashes, n, base));
  for (let i = 0; i < keys.length; i++) keys[i] = mix(first![i]!) * 2 ** 21 + (mix(second![i]!) >>> 11);
  return keys;
}

function rolling(hashes: Uint32Array, n: number, base: number): Uint32Array {
  const sums = new Uint32Array(Math.max(0, hashes.length - n + 1));
  let power = 1;
  for (let i = 0; i < n; i++) power = Math.imul(power, base);
  let sum = 0;
  for (let i = 0; i < hashes.length; i++) {
    sum = (Math.imul(sum, base) + hashes[i]!) | 0;
    if (i >= n) sum = (sum - Math.imul(hashes[i - n]!, power)) | 0;
    if (i >= n - 1) sums[i - n + 1] = sum;
  }
  return sums;
}
