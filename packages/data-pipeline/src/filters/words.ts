/** Scripts written without spaces count character by character. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{M}\p{N}])+/gu;
const ASCII_WORD = /[a-z0-9]+/g;

/** The words of a text in lower case, without punctuation. */
export function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  // eslint-disable-next-line no-control-regex
  const pattern = /^[\x00-\x7f]*$/.test(lower) ? ASCII_WORD : WORD;
  return lower.match(pattern) ?? [];
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
