import type { Tokenizer } from '@lethe/data-pipeline';
import { hasNoText } from './special-ids.js';
import { Utf8Stream } from './utf8-stream.js';

/** Tokens before the first one that may hold the beginning of a character: with text, and looked at for some. */
const MOST_PARTS = 4;
const RECENT = 32;

/** What tokens spell after others, which is asked of the tokenizer once: each call of it takes a while. */
const spelled = new WeakMap<Tokenizer, Map<number, string>>();
const MOST_SPELLED = 2 ** 16;

/**
 * Turns tokens into text one at a time. Tokens that may hold parts of a character are read as bytes, and a character is
 * withheld until it is complete or cannot be. The others are texts, decoded together with the token before them, since
 * what a token spells depends on whether it is the first (a leading space).
 */
export class TokenText {
  private readonly bytes: Utf8Stream;
  private last: number | undefined;

  /** `context`: the tokens before the first, whose text is not wanted, but for a character that they leave unfinished. */
  constructor(
    private readonly tokenizer: Tokenizer,
    context: ArrayLike<number> = [],
  ) {
    this.bytes = new Utf8Stream(tokenizer.replacesEachByte);
    const recent = Array.from({ length: Math.min(context.length, RECENT) }, (_, i) => context[context.length - 1 - i])
      .filter((id) => !hasNoText(tokenizer, id))
      .slice(0, MOST_PARTS)
      .reverse();
    for (const id of recent) {
      const bytes = tokenizer.bytesOf(id);
      if (bytes) this.bytes.push(bytes);
      else this.bytes.end();
    }
    this.last = recent.at(-1);
  }

  /** The text that a token completes; empty for tokens without text and for parts of a character. */
  async push(id: number): Promise<string> {
    if (hasNoText(this.tokenizer, id)) return '';
    const before = this.last;
    this.last = id;
    const bytes = this.tokenizer.bytesOf(id);
    if (!bytes) return this.bytes.end() + (await this.inContext(before, id));
    const text = this.bytes.push(bytes);
    // Some decoders take a space from the beginning of the whole text.
    return before === undefined && text.startsWith(' ') ? this.tokenizer.decode([id]) : text;
  }

  /** The replacement of a character that the tokens leave unfinished, when no more will come. */
  end(): string {
    return this.bytes.end();
  }

  private async inContext(before: number | undefined, id: number): Promise<string> {
    let known = spelled.get(this.tokenizer);
    if (!known) spelled.set(this.tokenizer, (known = new Map()));
    const key = ((before ?? -1) + 1) * this.tokenizer.vocabSize + id;
    let text = known.get(key);
    if (text === undefined) {
      text = await this.spell(before, id);
      if (known.size === MOST_SPELLED) known.clear();
      known.set(key, text);
    }
    return text;
  }

  private async spell(before: number | undefined, id: number): Promise<string> {
    if (before === undefined) return this.tokenizer.decode([id]);
    const [alone, both] = await Promise.all([this.tokenizer.decode([before]), this.tokenizer.decode([before, id])]);
    return both.slice(alone.length);
  }
}
