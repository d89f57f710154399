// Conversions between fp32 and the two 16-bit formats, on bit patterns. Narrowing rounds to nearest, ties to even.

/** Widens bf16 bit patterns: they are the upper halves of fp32's. */
export function bf16ToFloat32(bits: Uint16Array, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
}

/** Narrows fp32 to bf16 bit patterns; NaN stays NaN. */
export function float32ToBf16(values: Float32Array, out: Uint16Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    // Adding just under half of the last kept bit, and that bit itself, rounds ties to even.
    out[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** Widens IEEE half-precision bit patterns, subnormals, infinities and NaN included. */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array): void {
  const table = (halfTable ??= makeHalfTable());
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
}

let halfTable: Float32Array | undefined;

function makeHalfTable(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** Narrows fp32 to IEEE half-precision bit patterns; magnitudes of 65520 and more become infinite. */
export function float32ToFloat16(values: Float32Array, out: Uint16Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const sign = (words[i] >>> 16) & 0x8000;
    out[i] = sign | magnitudeToFloat16(words[i] & 0x7fffffff);
  }
}

function magnitudeToFloat16(word: number): number {
  if (word > 0x7f800000) return 0x7e00; // NaN
  if (word >= 0x477ff000) return 0x7c00; // 65520 rounds up to infinity
  if (word >= 0x38800000) {
    const rebased = word - 0x38000000; // exponent bias 127 -> 15
    return (rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13;
  }
  if (word < 0x33000000) return 0; // below 2^-25, half of the smallest subnormal
  const shift = 126 - (word >>> 23); // 14 .. 24: the fraction in units of 2^-24
  const fraction = (word & 0x7fffff) | 0x800000;
  const rounded = fraction >>> shift;
  const rest = fraction - rounded * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (rounded & 1) === 1) ? rounded + 1 : rounded;
}
