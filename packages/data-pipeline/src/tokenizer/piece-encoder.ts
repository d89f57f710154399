import type { PieceRule } from './piece-rule.js';
import { MAX_PIECE, PieceTable } from './piece-table.js';

/** Encodes texts without special tokens. */
export type EncodeTexts = (texts: string[]) => Promise<Int32Array[]>;

/** Pieces remembered; with more of them the encoder starts to learn anew. */
const CAPACITY = 2 ** 18;
/** New pieces encoded as one text, where the rule has a separator. */
const PIECES_PER_TEXT = 64;

/** Pieces that a call has not met before. */
interface NewPieces {
  /** To be remembered, with their entries. */
  pieces: string[];
  entries: number[];
  /** Too long to be remembered, or without room; a text refers to them by ~index. */
  others: string[];
}

/**
 * Encodes texts piece by piece, remembering the ids of pieces: most words of a text have been seen before. The ids are
 * those of the whole texts (see `PieceRule`). Memory: about 50 bytes a piece, so 13 MB.
 */
export class PieceEncoder {
  private table: PieceTable;
  /** Of the text that is cut: its units and its pieces. */
  private units = new Uint16Array(2 ** 16);
  private pieces = new Int32Array(2 ** 16);
  /** Settled when all pieces that earlier calls met have their ids. */
  private learnt: Promise<unknown> = Promise.resolve();
  private separatorIds: Promise<Int32Array> | undefined;

  /** `encode` takes pieces, already normalized, and `encodeWhole` texts. */
  constructor(
    private readonly rule: PieceRule,
    private readonly encode: EncodeTexts,
    private readonly encodeWhole: EncodeTexts,
    private readonly capacity = CAPACITY,
  ) {
    this.table = new PieceTable(capacity);
  }

  /** Ids of each text. */
  async encodeBatch(texts: string[]): Promise<Int32Array[]> {
    const isWhole = (text: string): boolean => text === '' || this.rule.never.test(text);
    if (this.table.isFull) this.table = new PieceTable(this.capacity);
    const { table } = this;
    const found: NewPieces = { pieces: [], entries: [], others: [] };
    const cut = texts.map((text) => (isWhole(text) ? undefined : this.cut(text, table, found)));
    this.learnt = Promise.all([this.learnt, this.learn(table, found)]).then(() => undefined);
    const whole = texts.filter((_, i) => !cut[i]);
    const [others, wholeIds] = await Promise.all([
      found.others.length === 0 ? [] : this.encode(found.others),
      whole.length === 0 ? [] : this.encodeWhole(whole),
      this.learnt,
    ]);
    let numWhole = 0;
    return cut.map((pieces) => (pieces ? assemble(pieces, table, others) : wholeIds[numWhole++]!));
  }

  /** A text's pieces, as entries of the table or ~indexes of `others`. */
  private cut(text: string, table: PieceTable, found: NewPieces): Int32Array {
    const numUnits = this.load(text);
    const { units, rule, pieces } = this;
    let numPieces = 0;
    for (let from = 0, at = 1; at <= numUnits; at++) {
      if (at < numUnits && !rule.cuts(units[at - 1]!, units[at]!)) continue;
      const before = table.size;
      const entry = at - from <= MAX_PIECE ? table.entry(units, from, at) : -1;
      const isKnown = entry >= 0 && entry < before;
      pieces[numPieces++] = isKnown ? entry : note(textOf(units.subarray(from, at)), entry, found);
      from = at;
    }
    return pieces.slice(0, numPieces);
  }

  /** Puts the text's units, as pieces have them, into `units`; how many there are. */
  private load(text: string): number {
    const { prefix, space } = this.rule;
    const start = prefix.length;
    const length = start + text.length;
    if (length > this.units.length) {
      this.units = new Uint16Array(2 * length);
      this.pieces = new Int32Array(2 * length);
    }
    const { units } = this;
    for (let i = 0; i < start; i++) units[i] = prefix.charCodeAt(i);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      units[start + i] = unit === 32 ? space : unit;
    }
    return length;
  }

  private async learn(table: PieceTable, { pieces, entries }: NewPieces): Promise<void> {
    if (pieces.length === 0) return;
    const ids = await this.encodeNew(pieces);
    for (const [i, entry] of entries.entries()) table.setIds(entry, ids[i]!);
  }

  /** Ids of pieces; many pieces to a text where their ids can be told apart, since a text has its price. */
  private async encodeNew(pieces: string[]): Promise<Int32Array[]> {
    const { separator } = this.rule;
    if (separator === undefined) return this.encode(pieces);
    const [separatorId, ...more] = await (this.separatorIds ??= this.encode([separator]).then(([ids]) => ids!));
    if (more.length > 0) return this.encode(pieces);
    const holdsIt = pieces.map((piece) => piece.includes(separator)); // it alone, or beside half a surrogate pair
    const joined = pieces.filter((_, i) => !holdsIt[i]);
    const texts = pieces.filter((_, i) => holdsIt[i]);
    const numAlone = texts.length;
    for (let from = 0; from < joined.length; from += PIECES_PER_TEXT) {
      texts.push(joined.slice(from, from + PIECES_PER_TEXT).join(separator));
    }
    const ids = await this.encode(texts);
    const alone = ids.slice(0, numAlone);
    const parts = ids.slice(numAlone).flatMap((many) => splitAt(many, separatorId!));
    let [numTaken, numParts] = [0, 0];
    return holdsIt.map((isAlone) => (isAlone ? alone[numTaken++]! : parts[numParts++]!));
  }
}

/** Notes a new piece; the reference to it. */
function note(text: string, entry: number, found: NewPieces): number {
  if (entry < 0) return ~(found.others.push(text) - 1);
  found.pieces.push(text);
  found.entries.push(entry);
  return entry;
}

const textOf = (units: Uint16Array): string =>
  Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le');

function splitAt(ids: Int32Array, separator: number): Int32Array[] {
  const parts: Int32Array[] = [];
  let from = 0;
  for (let at = ids.indexOf(separator); at >= 0; at = ids.indexOf(separator, from)) {
    parts.push(ids.slice(from, at));
    from = at + 1;
  }
  return [...parts, ids.slice(from)];
}

function assemble(pieces: Int32Array, table: PieceTable, others: readonly Int32Array[]): Int32Array {
  let length = 0;
  for (const piece of pieces) length += piece < 0 ? others[~piece]!.length : table.countOf(piece);
  const whole = new Int32Array(length);
  let at = 0;
  for (const piece of pieces) {
    if (piece >= 0) at = table.copyIds(piece, whole, at);
    else {
      whole.set(others[~piece]!, at);
      at += others[~piece]!.length;
    }
  }
  return whole;
}
