/** Longest piece that is remembered, in UTF-16 units. */
export const MAX_PIECE = 40;

const HASH_FACTOR = 0x01000193;

/** Ids of pieces by their UTF-16 units, in a few flat arrays: a look-up makes no strings, and there is little to collect. */
export class PieceTable {
  /** Entry + 1 by hash, 0 where free; twice as many slots as entries. */
  private readonly slots: Int32Array;
  private readonly hashes: Int32Array;
  private readonly starts: Int32Array;
  private units: Uint16Array;
  private ids: Int32Array;
  private readonly idStarts: Int32Array;
  private readonly idCounts: Int32Array;
  private numIds = 0;
  private numPieces = 0;

  /** Holds up to `capacity` pieces, a power of two. */
  constructor(readonly capacity: number) {
    this.slots = new Int32Array(2 * capacity);
    this.hashes = new Int32Array(capacity);
    this.starts = new Int32Array(capacity + 1);
    this.units = new Uint16Array(8 * capacity);
    this.ids = new Int32Array(2 * capacity);
    this.idStarts = new Int32Array(capacity);
    this.idCounts = new Int32Array(capacity);
  }

  /** Pieces held. */
  get size(): number {
    return this.numPieces;
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

  /** How many ids an entry has, none until they are set. */
  countOf(entry: number): number {
    return this.idCounts[entry]!;
  }

  /** Writes the ids of an entry into `target` from `at`; where they end. */
  copyIds(entry: number, target: Int32Array, at: number): number {
    const start = this.idStarts[entry]!;
    const count = this.idCounts[entry]!;
    for (let i = 0; i < count; i++) target[at + i] = this.ids[start + i]!;
    return at + count;
  }

  /** Sets the ids of an entry, once. */
  setIds(entry: number, ids: Int32Array): void {
    this.ids = withRoom(this.ids, this.numIds + ids.length);
    this.ids.set(ids, this.numIds);
    this.idStarts[entry] = this.numIds;
    this.idCounts[entry] = ids.length;
    this.numIds += ids.length;
  }

  private holds(entry: number, text: Uint16Array, from: number, to: number): boolean {
    const start = this.starts[entry]!;
    if (this.starts[entry + 1]! - start !== to - from) return false;
    for (let i = from; i < to; i++) if (this.units[start + i - from] !== text[i]) return false;
    return true;
  }

  private add(hash: number, piece: Uint16Array): number {
    const entry = this.numPieces++;
    const start = this.starts[entry]!;
    const end = start + piece.length;
    this.units = withRoom(this.units, end);
    this.units.set(piece, start);
    this.starts[entry + 1] = end;
    this.hashes[entry] = hash;
    return entry;
  }
}

/** The array, or one of twice the length with its values, where it has no room for so many. */
function withRoom<Values extends Uint16Array | Int32Array>(values: Values, length: number): Values {
  if (length <= values.length) return values;
  const larger = new (values.constructor as new (length: number) => Values)(Math.max(length, 2 * values.length));
  larger.set(values);
  return larger;
}
