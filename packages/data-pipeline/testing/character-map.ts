/**
 * A precompiled_charsmap of Unigram tokenizers that maps A to a: the bytes of its units, 256 units of darts-clone's trie, and its texts. The
 * root leads to unit 64 by A, and that to the leaf, unit 2, which is the place of "a" in the texts.
 */
export function characterMap(): Buffer {
  const units = new Uint32Array(256);
  units[0] = 1 << 10; // children of the root are at 1 ^ byte
  units[64] = (66 << 10) | 0x100 | 0x41; // 1 ^ 65; its leaf at 64 ^ 66
  units[2] = 0x8000_0000;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(4 * units.length);
  return Buffer.concat([size, Buffer.from(units.buffer), Buffer.from('a\0')]);
}
