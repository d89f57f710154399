import type { Tokenizer } from '@lethe/data-pipeline';
import { hasNoText } from './special-ids.js';

/** Tokens before the first one that are decoded with it. */
const CONTEXT = 8;
/** A character of UTF-8 has at most four bytes, hence tokens; what is still incomplete after as many never completes. */
const MOST_PARTS = 4;
const INCOMPLETE = '\uFFFD';

/**
 * Turns tokens into text one at a time. What a token spells depends on its neighbours (a leading space, a character in
 * several tokens), so each is decoded together with the ones before it; a character is withheld until it is complete.
 */
export class TokenText {
  private window: number[];
  /** The text of the window that has been given out; undefined until it is needed. */
  private shown: string | undefined;
  private isContextGiven = true;
  private numNew = 0;
  private numWithheld = 0;

  /** `context`: the tokens before the first, whose text is not wanted. */
  constructor(
    private readonly tokenizer: Tokenizer,
    context: ArrayLike<number> = [],
  ) {
    const recent = Array.from(context).slice(-4 * CONTEXT);
    this.window = recent.filter((id) => !hasNoText(tokenizer, id)).slice(-CONTEXT);
  }

  /** The text that a token completes; empty for tokens without text and for parts of a character. */
  async push(id: number): Promise<string> {
    if (hasNoText(this.tokenizer, id)) return '';
    this.shown ??= await this.startText();
    this.window.push(id);
    this.numNew++;
    this.numWithheld++;
    const text = await this.tokenizer.decode(this.window);
    const complete = withoutIncomplete(text);
    const isPart = complete.length < text.length && this.numWithheld < MOST_PARTS;
    // While a character is incomplete, some tokenizers decode complete bytes before it as incomplete too.
    if (isPart && !(complete.length > this.shown.length && complete.startsWith(this.shown))) return '';
    const end = isPart ? complete.length : text.length;
    const added = text.slice(this.shown.length, end);
    if (added === '') return '';
    this.numWithheld = 0;
    if (isPart) this.shown = complete;
    else this.startWindow();
    return added;
  }

  /** The tokens given out last are the context of the next ones. */
  private startWindow(): void {
    this.window = this.window.slice(-this.numNew);
    this.shown = undefined;
    this.numNew = 0;
    this.isContextGiven = false;
  }

  /** The text of the window; an incomplete end of the given context belongs to the token that completes it. */
  private async startText(): Promise<string> {
    const text = await this.tokenizer.decode(this.window);
    return this.isContextGiven ? withoutIncomplete(text) : text;
  }
}

function withoutIncomplete(text: string): string {
  let end = text.length;
  while (text[end - 1] === INCOMPLETE) end--;
  return text.slice(0, end);
}
