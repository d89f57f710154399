import type { Tokenizer } from '@lethe/data-pipeline';

/** Tokens of the prompt that are decoded with what follows them. */
const CONTEXT = 8;

/**
 * The text of generated tokens. They are decoded together with the end of their prompt, since some tokenizers drop the
 * leading space of what they decode: the indentation of a program's first line.
 */
export class GeneratedText {
  private readonly context: number[];
  private contextText: string | undefined;

  constructor(
    private readonly tokenizer: Tokenizer,
    prompt: readonly number[],
  ) {
    this.context = prompt.slice(-CONTEXT);
  }

  /** The text of all tokens generated so far. */
  async of(ids: readonly number[]): Promise<string> {
    if (ids.length === 0) return '';
    const decode = (all: number[]): Promise<string> => this.tokenizer.decode(all, { skipSpecialTokens: true });
    this.contextText ??= await decode(this.context);
    const whole = await decode([...this.context, ...ids]);
    return whole.startsWith(this.contextText) ? whole.slice(this.contextText.length) : decode([...ids]);
  }
}

/** Cuts a text before the first of the stop strings that it holds; undefined where it holds none. */
export function cutAtStop(text: string, stopStrings: readonly string[]): string | undefined {
  const found = stopStrings.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? text.slice(0, Math.min(...found)) : undefined;
}
