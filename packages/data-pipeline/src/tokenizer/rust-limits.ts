import { isUtf8 } from 'node:buffer';
import { plainLine } from '@lethe/run';
import type { TokenizerJson } from './tokenizer-core.js';

type Part = Record<string, unknown>;

/**
 * What the Rust library takes for granted of a tokenizer.json and does not check: where it is not so, the library ends the process, when
 * it loads the file or at some text.
 * @throws Error saying what is not so.
 */
export function requireRustLimits(json: TokenizerJson): void {
  // By their fields: the library knows parts without a type too.
  for (const part of partsOf(json['normalizer']))
    if (part['type'] === 'Precompiled' || 'precompiled_charsmap' in part) requireCharacterMap(part);
  for (const part of partsOf(json['pre_tokenizer']))
    if (part['length'] === 0) refuse('a length of 1 or more of FixedLength', 0);
  for (const part of partsOf(json['post_processor'])) requireTemplate(part);
  for (const { stop } of partsOf(json['decoder']))
    // It counts back from the end of a piece, also of one that has no end so long.
    if (Number(stop) > 0) refuse('a decoder that strips no ends (stop: 0)', stop);
  requireMerges(json.model);
}

function refuse(expected: string, received: unknown): never {
  throw new Error(
    `expected ${expected}, received ${plainLine(String(received), 60)}; take the file anew, or set LETHE_TOKENIZER=js`,
  );
}

/** A part, or those of a sequence. */
function partsOf(given: unknown): Part[] {
  if (typeof given !== 'object' || given === null) return [];
  const part = given as Part;
  const inner = [part['normalizers'], part['pretokenizers'], part['processors'], part['decoders']];
  return [part, ...inner.flatMap((parts) => (Array.isArray(parts) ? parts.flatMap(partsOf) : []))];
}

interface Piece {
  SpecialToken?: { id?: unknown };
  Sequence?: { id?: unknown };
}

function requireTemplate({ single, pair, special_tokens: known }: Part): void {
  for (const piece of [single, pair].flat() as (Piece | null | undefined)[]) {
    const id = piece?.SpecialToken?.id;
    if (typeof id === 'string' && !Object.hasOwn(known ?? {}, id))
      refuse('special_tokens of the template to have all that it names', `none for "${id}"`);
  }
  for (const piece of [single].flat() as (Piece | null | undefined)[])
    if (piece?.Sequence?.id === 'B') refuse('a template of a single text without a second one', '"B"');
}

function requireMerges({ continuing_subword_prefix: prefix, merges }: Part): void {
  if (typeof prefix !== 'string' || prefix === '' || !Array.isArray(merges)) return;
  for (const merge of merges as unknown[]) {
    const second: unknown = Array.isArray(merge) ? merge[1] : String(merge).split(' ')[1];
    if (typeof second === 'string' && !second.startsWith(prefix))
      refuse(`merges whose second part begins with "${plainLine(prefix, 20)}"`, `"${second}"`);
  }
}

/**
 * A map of characters is a trie of darts-clone (github.com/s-yata/darts-clone) in units of 4 bytes, after their number of bytes, and the
 * texts that its leaves point into. Every unit that is reached by some byte must be there, and every leaf must point to a character's begin.
 */
function requireCharacterMap({ precompiled_charsmap: given }: Part): void {
  const bytes = Buffer.from(String(given), 'base64');
  if (bytes.toString('base64') !== given) broken();
  const numUnits = bytes.length < 4 ? 0 : bytes.readUInt32LE(0) >>> 2;
  const texts = bytes.subarray(4 + 4 * numUnits);
  if (!isUtf8(texts)) broken();
  const unit = (at: number): number => (at < numUnits ? bytes.readUInt32LE(4 + 4 * at) : broken());
  if (bytes.length < 4 + 4 * numUnits) broken();
  const offset = (value: number): number => (value >>> 10) << ((value & 0x200) >>> 6);
  const seen = new Set<number>();
  const bases = [offset(unit(0))];
  for (let base = bases.pop(); base !== undefined; base = bases.pop()) {
    if (seen.has(base)) continue;
    seen.add(base);
    for (let byte = 1; byte < 256; byte++) {
      const at = (base ^ byte) >>> 0;
      const child = unit(at);
      if ((child & 0x8000_00ff) >>> 0 !== byte) continue;
      const next = (at ^ offset(child)) >>> 0;
      if ((child & 0x100) !== 0) requireText(texts, unit(next) & 0x7fff_ffff);
      bases.push(next);
    }
  }
}

function requireText(texts: Buffer, at: number): void {
  if (at > texts.length || (at < texts.length && (texts[at] & 0xc0) === 0x80)) broken();
}

const broken = (): never => refuse('a whole precompiled_charsmap', 'one that is cut off, or leads out of itself');
