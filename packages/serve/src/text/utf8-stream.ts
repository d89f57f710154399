const REPLACEMENT = '\uFFFD';

/** Bytes that arrive one at a time as text: a character comes with its last byte. */
export class Utf8Stream {
  /** The bytes of a character that has begun. */
  private pending: number[] = [];

  /** `replacesEachByte`: every byte of a broken character is a replacement character, not all of it one. */
  constructor(private readonly replacesEachByte: boolean) {}

  /** The text that some bytes complete; what no byte can complete any more is replaced. */
  push(bytes: Uint8Array): string {
    let text = '';
    for (const byte of bytes) text += this.add(byte);
    return text;
  }

  /** The replacement of a character that will not be completed. */
  end(): string {
    const text = REPLACEMENT.repeat(this.replacesEachByte ? this.pending.length : Math.min(this.pending.length, 1));
    this.pending = [];
    return text;
  }

  private add(byte: number): string {
    const bytes = [...this.pending, byte];
    const text = decode(bytes);
    if (text !== undefined) {
      this.pending = text === '' ? bytes : [];
      return text;
    }
    if (this.pending.length === 0) return REPLACEMENT;
    return this.end() + this.add(byte);
  }
}

/** A character; empty while it is unfinished, undefined when the bytes begin none. */
function decode(bytes: number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes), { stream: true });
  } catch {
    return undefined;
  }
}
