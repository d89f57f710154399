import type { Tokenizer } from '@lethe/data-pipeline';
import { hasNoText } from './special-ids.js';

/** What tokens are called in lists of log-probabilities: their text inside a sentence, special tokens their name, others their id. */
export class TokenNames {
  private readonly names = new Map<number, string>();
  private anchor: Promise<{ ids: number[]; text: string }> | undefined;

  constructor(private readonly tokenizer: Tokenizer) {}

  /** The name of a token. Parts of a character are called by the replacement character. */
  async name(id: number): Promise<string> {
    const known = this.names.get(id);
    if (known !== undefined) return known;
    const name = await this.find(id);
    this.names.set(id, name);
    return name;
  }

  private async find(id: number): Promise<string> {
    if (hasNoText(this.tokenizer, id)) return this.tokenizer.specialText(id) ?? `token_id:${id}`;
    // Decoded after another token, so that a space in front is kept.
    const { ids, text } = await (this.anchor ??= this.findAnchor());
    return (await this.tokenizer.decode([...ids, id])).slice(text.length);
  }

  private async findAnchor(): Promise<{ ids: number[]; text: string }> {
    const ids = Array.from(await this.tokenizer.encode('a', { addSpecialTokens: false }));
    return { ids, text: await this.tokenizer.decode(ids) };
  }
}
