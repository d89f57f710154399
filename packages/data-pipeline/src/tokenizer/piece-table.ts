/** Longest piece that is remembered, in UTF-16 units. */
export const MAX_PIECE = 40;

const HASH_FACTOR = 0x01000193;
const NO_IDS = new Int32Array(0);

/** Ids of pieces by their UTF-16 units, in a few flat arrays: a look-up makes no strings. */
export class PieceTable {
  /** Entry + 1 by hash, 0 where free; twice as many slots as entries. */
  private readonly slots: Int32Array;
  private readonly hashes: Int32Array;
  private readonly starts: Int32Array;
  private units: Uint16Array;
  private readonly ids: Int32Array[] = [];

  /** Holds up to `capacity` pieces, a power of two. */
  constructor(readonly capacity: number) {
    this.slots = new Int32Array(2 * capacity);
    this.hashes = new Int32Array(capacity);
    this.starts = new Int32Array(capacity + 1);
    this.units = new Uint16Array(8 * capacity);
  }

  /** Pieces held. */
  get size(): number {
    return this.ids.length;
  }

  get isFull(): boolean {
    return this.size === this.capacity;
  }

  /** The entry of the piece text[from, to), added without ids if it is new; -1 if it is new and the table is full. */
  entry(text: Uint16Array, from: number, to: number): number {
    let hash = to - from;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ text[i]!, HASH_FACTOR);
    hash ^= hash >>> 15;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.slots[slot]! - 1; entry >= 0; entry = this.slots[slot]! - 1) {
      if (this.hashes[entry] === hash && this.holds(entry, text, from, to)) return entry;
      slot = (slot + 1) & mask;
    }
    if (this.isFull) return -1;
    this.slots[slot] = this.size + 1;
    return this.add(hash, text.subarray(from, to));
  }

  /** Ids of an entry, none until they are set. */
  idsOf(entry: number): Int32Array {
    return this.ids[entry]!;
  }

  /** Sets the ids of an entry. */
  setIds(entry: number, ids: Int32Array): void {
    this.ids[entry] = ids;
  }

  private holds(entry: number, text: Uint16Array, from: number, to: number): boolean {
    const start = this.starts[entry]!;
    if (this.starts[entry + 1]! - start !== to - from) return false;
    for (let i = from; i < to; i++) if (this.units[start + i - from] !== text[i]) return false;
    return true;
  }

  private add(hash: number, piece: Uint16Array): number {
    const entry = this.size;
    const start = this.starts[entry]!;
    const end = start + piece.length;
    if (end > this.units.length) {
      const larger = new Uint16Array(2 * this.units.length);
      larger.set(this.units);
      this.units = larger;
    }
    this.units.set(piece, start);
    this.starts[entry + 1] = end;
    this.hashes[entry] = hash;
    this.ids.push(NO_IDS);
    return entry;
  }
}
