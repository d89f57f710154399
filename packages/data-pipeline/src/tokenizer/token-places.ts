import { byteOf } from './byte-alphabet.js';
import type { TokenizerJson } from './tokenizer-core.js';

/** Where each token lies in a text, in UTF-16 units; a token may cover none, and tokens of one character share it. */
export interface TokenPlaces {
  starts: Int32Array;
  ends: Int32Array;
}

/** Places from the Rust library's offsets, which count code points. */
export function placesFromOffsets(text: string, offsets: number[][]): TokenPlaces {
  const units = unitsOfCodePoints(text);
  const at = (codePoint: number): number => units?.[codePoint] ?? codePoint;
  return {
    starts: Int32Array.from(offsets, ([start]) => at(start!)),
    ends: Int32Array.from(offsets, ([, end]) => at(end!)),
  };
}

/** For each code point where it begins; undefined where that is the same number. */
function unitsOfCodePoints(text: string): number[] | undefined {
  if (!/[\ud800-\udfff]/.test(text)) return undefined;
  const units: number[] = [];
  let at = 0;
  for (const character of text) {
    units.push(at);
    at += character.length;
  }
  return [...units, at];
}

const MARK = '\u2581';
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/**
 * Places of tokens in a text from their spelling, for a library that tells no offsets; undefined where the spelling
 * does not give the text back (a normalizer that rewrites characters).
 */
export function placesFromTokens(text: string, tokens: string[], json: TokenizerJson): TokenPlaces | undefined {
  const bytes = Buffer.from(text);
  const units = unitsOfBytes(text);
  const spell = speller(json);
  const starts = new Int32Array(tokens.length);
  const ends = new Int32Array(tokens.length);
  let at = 0;
  const spellings = tokens.map(spell);
  for (const [i, spelling] of spellings.entries()) {
    const end = spelling === 'unknown' ? unknownEnd(bytes, at, spellings[i + 1]) : endOf(bytes, at, spelling);
    if (end === undefined) return undefined;
    starts[i] = units[end.start]!;
    ends[i] = units[end.end]!;
    at = end.end;
  }
  return { starts, ends };
}

/** Where a spelling is found: here, without a space that the tokenizer put before it, or behind dropped spaces. */
function endOf(bytes: Buffer, at: number, spelling: Buffer): { start: number; end: number } | undefined {
  for (let start = at; start <= bytes.length; start++) {
    for (const form of spelling[0] === 0x20 ? [spelling, spelling.subarray(1)] : [spelling]) {
      if (bytes.subarray(start, start + form.length).equals(form)) return { start, end: start + form.length };
    }
    if (bytes[start] !== 0x20) return undefined;
  }
  return undefined;
}

/** What the unknown token stands for: everything up to what the next token spells, or one character. */
function unknownEnd(
  bytes: Buffer,
  at: number,
  next: Buffer | 'unknown' | undefined,
): { start: number; end: number } | undefined {
  if (at >= bytes.length) return undefined;
  if (next === undefined) return { start: at, end: bytes.length };
  let end = at + 1;
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end++;
  return { start: at, end: next === 'unknown' ? end : Math.max(end, bytes.indexOf(next, end)) };
}

/** For each byte of the UTF-8 text the UTF-16 unit where its character begins, and after the last one the length. */
function unitsOfBytes(text: string): Int32Array {
  const units = new Int32Array(Buffer.byteLength(text) + 1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    const length = Buffer.byteLength(character);
    for (let i = 0; i < length; i++) units[byte + i] = i === 0 ? unit : unit + character.length;
    byte += length;
    unit += character.length;
  }
  units[byte] = unit;
  return units;
}

/** The bytes that a token of the vocabulary stands for. */
function speller(json: TokenizerJson): (token: string) => Buffer | 'unknown' {
  const added = new Set((json.added_tokens ?? []).map(({ content }) => content));
  const unknown = json.model.unk_token;
  const isByteLevel = JSON.stringify([json['pre_tokenizer'], json['decoder']]).includes('"ByteLevel"');
  return (token) => {
    if (token === unknown) return 'unknown';
    if (added.has(token)) return Buffer.from(token);
    if (isByteLevel)
      return Buffer.from(Array.from(token, (one) => byteOf(one) ?? (one < '\u0100' ? one.charCodeAt(0) : 0x3f)));
    const byte = BYTE.exec(token);
    return byte ? Buffer.from([Number.parseInt(byte[1]!, 16)]) : Buffer.from(token.replaceAll(MARK, ' '));
  };
}
