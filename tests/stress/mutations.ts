import type { Random } from '@lethe/run';

/** Pieces that parsers stumble over. */
const PIECES = [
  'null', '{', '}', '[', ']', '"', ',', ':', '\\u0000', '\\ud800', '1e999', '-1', '0', '99999999999999999999', 'true', '""', '\0', '\n',
  '\r\n', '\ufeff', '\u2028', '__proto__', '<|im_end|>', '&a', '*a', '!!', '\t', '#', '|', "'", '\xff',
].map((text) => Buffer.from(text, 'utf8')); // prettier-ignore

type Edit = (bytes: Buffer, random: Random) => Buffer;

const at = (bytes: Buffer, random: Random): number => random.int(Math.max(bytes.length, 1));
/** A range of at most so many bytes. */
function range(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = at(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + random.int(64))];
}

function set(bytes: Buffer, index: number, value: number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[index] = value;
  return copy;
}

const insert = (bytes: Buffer, index: number, piece: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, index), piece, bytes.subarray(index)]);

const EDITS: Edit[] = [
  (bytes, random) => {
    const index = at(bytes, random);
    return set(bytes, index, (bytes[index] ?? 0) ^ (1 << random.int(8)));
  },
  (bytes, random) => set(bytes, at(bytes, random), random.int(256)),
  // Lengths, offsets and counts are near the beginning of most formats, and at the end of some.
  (bytes, random) => set(bytes, random.int(Math.min(bytes.length, 128)), [0, 1, 0x7f, 0x80, 0xff][random.int(5)]),
  (bytes, random) => set(bytes, bytes.length - 1 - random.int(Math.min(bytes.length, 64)), random.int(256)),
  (bytes, random) => bytes.subarray(0, at(bytes, random)),
  (bytes, random) => bytes.subarray(at(bytes, random)),
  (bytes, random) => insert(bytes, at(bytes, random), PIECES[random.int(PIECES.length)]),
  (bytes, random) => insert(bytes, at(bytes, random), Buffer.alloc(1 + random.int(64), random.int(256))),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => insert(bytes, at(bytes, random), bytes.subarray(...range(bytes, random))),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return insert(
      Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]),
      from,
      PIECES[random.int(PIECES.length)],
    );
  },
];

/** A file with one to four edits. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let made = bytes;
  for (let edits = 1 + random.int(4); edits > 0; edits--) {
    if (made.length > 0) made = EDITS[random.int(EDITS.length)](made, random);
  }
  return made;
}
