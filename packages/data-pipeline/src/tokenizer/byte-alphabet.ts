import type { TokenizerJson } from './tokenizer-core.js';

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
const HIDDEN = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte));

/** The byte of a character of GPT-2's alphabet: printable ones stand for themselves, the others follow from U+0100 on. */
export function byteOf(character: string): number | undefined {
  const code = character.codePointAt(0)!;
  if (code >= 0x100) return HIDDEN[code - 0x100];
  return isPrintable(code) ? code : undefined;
}

/**
 * The bytes of the tokens that may hold parts of a character, by id: every token where the decoder is byte-level, tokens
 * like `<0xF0>` where it falls back to bytes. Added tokens are texts.
 */
export function byteTokens({ model, added_tokens, decoder }: TokenizerJson): Map<number, Uint8Array> {
  const decoders = JSON.stringify(decoder ?? null);
  const isByteLevel = decoders.includes('"ByteLevel"');
  const found = new Map<number, Uint8Array>();
  if (!isByteLevel && !decoders.includes('"ByteFallback"')) return found;
  const { vocab } = model;
  const entries = Array.isArray(vocab)
    ? vocab.map(([token], id): [string, number] => [token, id])
    : Object.entries(vocab);
  const added = new Set((added_tokens ?? []).map(({ id }) => id));
  for (const [token, id] of entries) {
    if (added.has(id)) continue;
    const bytes = isByteLevel ? Array.from(token, byteOf) : [fallbackByte(token)];
    if (!bytes.includes(undefined)) found.set(id, Uint8Array.from(bytes as number[]));
  }
  return found;
}

function fallbackByte(token: string): number | undefined {
  const match = /^<0x([0-9A-F]{2})>$/.exec(token);
  return match ? Number.parseInt(match[1]!, 16) : undefined;
}
