import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { parseHeader, MAX_HEADER_BYTES } from './header.js';
import { openSafetensors } from './reader.js';
import { SafetensorsError } from './safetensors-error.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
const file = join(folder, 'model.safetensors');
afterAll(() => rmSync(folder, { recursive: true }));

function fileBytes(header: string | Buffer, data: Uint8Array, claimedLength?: number): Buffer {
  const json = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(claimedLength ?? json.length));
  return Buffer.concat([prefix, json, data]);
}

const good = {
  __metadata__: { format: 'pt' },
  a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
  b: { dtype: 'BF16', shape: [3], data_offsets: [16, 22] },
  c: { dtype: 'F16', shape: [], data_offsets: [22, 24] },
  d: { dtype: 'I32', shape: [1], data_offsets: [24, 28] },
  e: { dtype: 'F32', shape: [0, 5], data_offsets: [28, 28] },
};
const data = Buffer.alloc(28);
[1, -2, 0.5, 3].forEach((value, i) => data.writeFloatLE(value, i * 4));
[0x3f80, 0xc000, 0x7fc0, 0x3c00].forEach((bits, i) => data.writeUInt16LE(bits, 16 + i * 2));
data.writeInt32LE(-7, 24);

/** The error of opening the file whose header is the good one with some entries replaced. */
function refusal(changes: Record<string, unknown>, bytes: Uint8Array = data): string {
  return refusalOf(fileBytes(JSON.stringify({ ...good, ...changes }), bytes));
}

function refusalOf(bytes: Uint8Array): string {
  writeFileSync(file, bytes);
  try {
    openSafetensors(file).close();
  } catch (error) {
    expect(error).toBeInstanceOf(SafetensorsError);
    return (error as Error).message.replace(file, 'FILE');
  }
  throw new Error('the file was accepted');
}

it('the largest header is that of the reference implementation', () => expect(MAX_HEADER_BYTES).toBe(1e8));

it('a file that is cut while it is read says so', () => {
  writeFileSync(file, fileBytes(JSON.stringify(good), data));
  const source = openSafetensors(file);
  truncateSync(file, 8 + JSON.stringify(good).length + 2);
  expect(() => source.readFloat32('a')).toThrow("'a' ended early: the file changed while it was read");
  source.close();
});

describe('openSafetensors', () => {
  it('reads one tensor at a time, widening F16 and BF16', () => {
    writeFileSync(file, fileBytes(JSON.stringify(good), data));
    const source = openSafetensors(file);
    expect([...source.readFloat32('a')]).toEqual([1, -2, 0.5, 3]);
    expect([...source.readFloat32('b')]).toEqual([1, -2, NaN]);
    expect([...source.readFloat32('c')]).toEqual([1]);
    expect([...source.readInt32('d')]).toEqual([-7]);
    expect(source.readFloat32('e')).toHaveLength(0);
    expect(source.tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2, 2], numElements: 4 });
    expect(source.metadata).toEqual({ format: 'pt' });
    expect(() => source.readFloat32('d')).toThrow("tensor 'd': expected dtype F32, F16 or BF16, received I32");
    expect(() => [...source.readBf16Parts('d')]).toThrow("tensor 'd': expected dtype F32, F16 or BF16, received I32");
    expect(() => source.readInt32('a')).toThrow("tensor 'a': expected dtype I32, received F32");
    expect(() => source.readFloat32('z')).toThrow("there is no tensor 'z'");
    source.close();
    expect(() => source.readFloat32('a')).toThrow();
  });

  it('converts tensors larger than one chunk', () => {
    const count = (1 << 20) + 3;
    const bits = Uint16Array.from({ length: count }, (_, i) => (i === count - 1 ? 0x3f80 : 0xc000));
    const header = { w: { dtype: 'BF16', shape: [count], data_offsets: [0, count * 2] } };
    writeFileSync(file, fileBytes(JSON.stringify(header), new Uint8Array(bits.buffer)));
    const source = openSafetensors(file);
    const values = source.readFloat32('w');
    expect([values[0], values[1 << 20], values[count - 1], values.length]).toEqual([-2, -2, 1, count]);
    source.close();
  });

  it.each<[string, () => string, string]>([
    ['an empty file', () => refusalOf(Buffer.alloc(0)), 'FILE: expected at least 8 bytes, received 0'],
    [
      'a header beyond the file',
      () => refusalOf(fileBytes('{}', Buffer.alloc(0), 3)),
      'expected a header of 2 to 2 by',
    ],
    ['a huge header', () => refusalOf(Buffer.alloc(64, 0xff)), 'expected a header of 2 to 56 bytes, received 18446744'],
    ['a zip file', () => refusalOf(Buffer.from('PK\x03\x04........')), 'this is a zip or PyTorch file'],
    ['a header that is not JSON', () => refusalOf(fileBytes('{"a":', data)), 'FILE: the header is not JSON'],
    ['a header that is not UTF-8', () => refusalOf(fileBytes(Buffer.from([0x7b, 0xff, 0x7d]), data)), 'not JSON'],
    ['a list', () => refusalOf(fileBytes('[]', data)), 'expected the header to be a mapping'],
    ['metadata of numbers', () => refusal({ __metadata__: { a: 1 } }), 'expected __metadata__ to be a mapping of str'],
    ['a tensor of null', () => refusal({ a: null }), "FILE: tensor 'a': expected a mapping"],
    ['an unknown dtype', () => refusal({ a: { ...good.a, dtype: 'F31' } }), "tensor 'a': expected a dtype of BOOL, U8"],
    ['a dtype of Object', () => refusal({ a: { ...good.a, dtype: 'toString' } }), 'received "toString"'],
    [
      'a negative size',
      () => refusal({ a: { ...good.a, shape: [-2, -2] } }),
      'expected a shape of sizes, received [-2',
    ],
    ['a fractional size', () => refusal({ a: { ...good.a, shape: [1.5] } }), 'expected a shape of sizes'],
    ['no shape', () => refusal({ a: { ...good.a, shape: undefined } }), 'received nothing (the key is missing)'],
    [
      'a shape that overflows',
      () => refusal({ a: { ...good.a, shape: [2 ** 32, 2 ** 32, 2 ** 32] } }),
      "tensor 'a': the shape [4294967296,4294967296,4294967296] overflows",
    ],
    [
      'a size that differs from the range',
      () => refusal({ a: { ...good.a, shape: [2, 3] } }),
      "tensor 'a': expected 24 bytes for F32 of shape [2,3], received 16",
    ],
    [
      'a range backwards',
      () => refusal({ a: { ...good.a, data_offsets: [16, 0] } }),
      'expected data_offsets [begin, e',
    ],
    ['three offsets', () => refusal({ a: { ...good.a, data_offsets: [0, 16, 16] } }), 'expected data_offsets'],
    [
      'an overlap',
      () => refusal({ b: { ...good.b, data_offsets: [14, 20] } }),
      "tensor 'b' overlaps 'a': begins at 14",
    ],
    [
      'a hole',
      () => refusal({ d: { ...good.d, data_offsets: [25, 29] } }, Buffer.alloc(29)),
      "tensor 'd': a hole of 1 bytes lies between it and ",
    ],
    [
      'a hole at the start',
      () => refusal({ a: undefined }),
      "tensor 'b': a hole of 16 bytes lies between it and the h",
    ],
    ['bytes at the end', () => refusal({}, Buffer.alloc(30)), "FILE: 2 bytes follow the last tensor, 'e'"],
    [
      'a file cut off',
      () => refusal({}, data.subarray(0, 27)),
      "tensor 'd' ends at byte 28 of 27: the file was cut off",
    ],
    [
      'a tensor twice',
      () => refusalOf(fileBytes(`{"a":${JSON.stringify(good.a)},"\\u0061":${JSON.stringify(good.a)}}`, data)),
      "FILE: the header has the key 'a' twice",
    ],
    [
      'an inner key twice',
      () => refusalOf(fileBytes('{"a":{"dtype":"F32","shape":[4],"shape":[2],"data_offsets":[0,8]}}', data)),
      "the header has the key 'shape' twice",
    ],
  ])('refuses %s', (_name, refuse, message) => expect(refuse()).toContain(message));

  it('survives headers made to exhaust the stack', () => {
    const deep = '['.repeat(1e5) + ']'.repeat(1e5);
    const shape = `{"a":{"dtype":"F32","shape":${deep},"data_offsets":[0,28]}}`;
    expect(refusalOf(fileBytes(shape, data))).toContain(
      'expected a shape of sizes, received a value nested too deeply',
    );
    const longName = '\\n'.repeat(1.5e7);
    const long = `{"${longName}":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}}`;
    writeFileSync(file, fileBytes(long, data));
    const source = openSafetensors(file);
    expect(source.tensors.size).toBe(1);
    source.close();
  });

  it('refuses pickle files by name, with the reason', () => {
    expect(() => openSafetensors('x/pytorch_model.bin')).toThrow(
      'x/pytorch_model.bin: pickle files can run code when they are opened',
    );
    expect(() => openSafetensors(join(folder, 'none'))).toThrow(
      'cannot open the weights: there is no such file or folder',
    );
  });

  it('answers 10,000 mutated files with an error or the right sizes, never a crash', () => {
    const random = seededRandom(1, 'fuzz');
    const json = JSON.stringify(good);
    const scraps = `" { } [ ] , : - 9 0 e9 . null \\ F64 "a": [0,0] \0`.split(' ');
    let accepted = 0;
    const parsed = (text: string, dataBytes: number) => parseHeader(Buffer.from(text), dataBytes, file).tensors;
    const opened = (text: string, dataBytes: number, lie: number) => {
      writeFileSync(file, fileBytes(text, Buffer.alloc(dataBytes), lie));
      const source = openSafetensors(file);
      source.close();
      return source.tensors;
    };
    for (let trial = 0; trial < 10000; trial++) {
      let text = json;
      for (let edit = random.int(3) + 1; edit > 0; edit--) {
        const at = random.int(text.length + 1);
        const removed = random.int(2) * random.int(12);
        text = text.slice(0, at) + scraps[random.int(scraps.length)] + text.slice(at + removed);
      }
      const lie = random.int(4) === 0 ? random.int(2 * text.length) : undefined;
      const dataBytes = data.length + (random.int(8) === 0 ? random.int(9) : 0);
      try {
        const tensors = lie === undefined ? parsed(text, dataBytes) : opened(text, dataBytes, lie);
        accepted++;
        const total = [...tensors.values()].reduce((sum, { begin, end }) => sum + end - begin, 0);
        expect(total).toBe(dataBytes);
      } catch (error) {
        if (!(error instanceof SafetensorsError)) throw error;
      }
    }
    expect(accepted).toBeGreaterThan(5); // some edits only change a name: the mutations reach deep
    expect(accepted).toBeLessThan(5000);
  });
});
