import { bf16ToFloat32, float16ToFloat32, float32ToBf16, float32ToFloat16 } from './half-precision.js';

const allPatterns = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const isNaN16 = (bits: number, exponentMask: number) =>
  (bits & exponentMask) === exponentMask && (bits & 0x7fff) !== exponentMask;

describe.each([
  ['F16', float16ToFloat32, float32ToFloat16, 0x7c00],
  ['BF16', bf16ToFloat32, float32ToBf16, 0x7f80],
] as const)('%s', (_name, widen, narrow, infinity) => {
  const widened = new Float32Array(65536);
  widen(allPatterns, widened);

  it('gives every pattern back, and NaN for NaN', () => {
    const back = new Uint16Array(65536);
    narrow(widened, back);
    for (let bits = 0; bits < 65536; bits++) {
      const expected = isNaN16(bits, infinity) ? isNaN16(back[bits], infinity) : back[bits] === bits;
      if (!expected) throw new Error(`pattern ${bits} became ${back[bits]}`);
    }
  });

  it('makes one quiet NaN of all', () => {
    const found = new Uint16Array(2);
    narrow(new Float32Array(Uint32Array.of(0x7f800001, 0xffc12345).buffer), found);
    expect(
      [...found].map((bits) => (bits & infinity) === infinity && (bits & ((infinity >>> 1) & ~infinity)) !== 0),
    ).toEqual([true, true]);
  });

  it('rounds halfway values to even and their neighbours to the nearer', () => {
    const next = (value: number, steps: number) => {
      const words = new Uint32Array(Float32Array.of(value).buffer);
      words[0] += steps;
      return new Float32Array(words.buffer)[0];
    };
    for (let bits = 0; bits < infinity - 1; bits++) {
      const middle = (widened[bits] + widened[bits + 1]) / 2; // exact in fp32
      const rounded = new Uint16Array(6);
      const trio = [next(middle, -1), middle, next(middle, 1)];
      narrow(Float32Array.from([...trio, ...trio.map((value) => -value)]), rounded);
      const even = bits % 2 === 0 ? bits : bits + 1;
      const expected = [bits, even, bits + 1];
      if (middle > 0 && rounded.join() !== [...expected, ...expected.map((b) => b | 0x8000)].join()) {
        throw new Error(`around ${middle}: expected ${expected.join()}, received ${rounded.join()}`);
      }
    }
  });

  it('overflows to infinity only beyond the middle to the next power', () => {
    const largest = widened[infinity - 1];
    const step = largest - widened[infinity - 2];
    const rounded = new Uint16Array(3);
    narrow(Float32Array.of(largest + step * 0.49, largest + step * 0.5, -Infinity), rounded);
    expect([...rounded]).toEqual([infinity - 1, infinity, infinity | 0x8000]);
  });
});

describe('known values', () => {
  it('agrees with IEEE 754', () => {
    const out = new Float32Array(5);
    float16ToFloat32(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555), out);
    expect([...out]).toEqual([1, -2, 65504, 2 ** -24, 0.333251953125]);
    bf16ToFloat32(Uint16Array.of(0x3f80, 0xc000, 0x3eab), out.subarray(0, 3));
    expect([...out.subarray(0, 3)]).toEqual([1, -2, 0.333984375]);
  });
});
