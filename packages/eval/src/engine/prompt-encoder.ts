import type { Tokenizer } from '@lethe/data-pipeline';

/** Encodes prompts: with what the tokenizer puts before a text, usually a BOS, and without what it puts after one. */
export class PromptEncoder {
  private constructor(
    private readonly tokenizer: Tokenizer,
    private readonly start: number[],
  ) {}

  static async open(tokenizer: Tokenizer): Promise<PromptEncoder> {
    const bare = await tokenizer.encode('a', { addSpecialTokens: false });
    const full = await tokenizer.encode('a', { addSpecialTokens: true });
    let from = 0;
    while (from + bare.length < full.length && !bare.every((id, i) => full[from + i] === id)) from++;
    return new PromptEncoder(tokenizer, Array.from(full.slice(0, from)));
  }

  /** Ids of prompts, each encoded as a whole. */
  async encode(texts: string[]): Promise<number[][]> {
    const encoded = await this.tokenizer.encodeBatch(texts, { addSpecialTokens: false });
    return encoded.map((ids) => [...this.start, ...ids]);
  }
}
