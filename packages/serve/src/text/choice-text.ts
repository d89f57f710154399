import type { SequenceEvent, TokenLogprob } from '@lethe/model';
import { giveTurn } from './give-turn.js';
import { StopMatcher } from './stop-matcher.js';
import type { TokenNames } from './token-names.js';
import type { TokenText } from './token-text.js';

/** One token of an answer, as lists of log-probabilities show it. */
export interface ShownToken {
  token: string;
  /** Where its text begins, in characters from the beginning of the choice's text. */
  offset: number;
  /** Null for the first token of a prompt, which nothing precedes. */
  logprob: number | null;
  top: { token: string; logprob: number }[];
}

/** The next piece of a choice: text, the tokens whose text is now decided, and at the end why it ended. */
export interface ChoicePiece {
  text: string;
  tokens: ShownToken[];
  finishReason?: 'stop' | 'length';
}

/** What a choice is made with. */
export interface ChoiceOptions {
  stops: readonly string[];
  /** Tokens that end the choice; what they spell is no part of it. */
  stopIds: readonly number[];
  names: TokenNames;
  /** Whether tokens are to be listed with their log-probabilities. */
  wantsLogprobs: boolean;
}

/** Puts the text of one choice together from the events of its sequence. */
export class ChoiceText {
  /** Tokens generated so far, with the stop token. */
  numTokens = 0;
  private readonly matcher: StopMatcher;
  private readonly withheld: ShownToken[] = [];
  /** Characters of text found so far, and of text given out. */
  private numFound = 0;
  private numShown = 0;

  constructor(
    private readonly text: TokenText,
    private readonly options: ChoiceOptions,
  ) {
    this.matcher = new StopMatcher(options.stops);
  }

  /** The prompt, or its next part, as the beginning of the choice's text. `echoed`: its text as the client wrote it, if it did. */
  async prompt(ids: ArrayLike<number>, scores: (TokenLogprob | null)[], echoed?: string): Promise<ChoicePiece> {
    let text = '';
    const tokens: ShownToken[] = [];
    for (let i = 0; i < ids.length; i++) {
      await giveTurn();
      const added = await this.text.push(ids[i]);
      if (this.options.wantsLogprobs) tokens.push(await this.shown(ids[i], added, scores[i] ?? null));
      this.numFound += length(added);
      text += added;
    }
    this.numShown = this.numFound;
    return { text: echoed ?? text, tokens };
  }

  /** The piece that an event of the sequence adds; a finish reason tells that nothing may follow. */
  async accept(event: Extract<SequenceEvent, { kind: 'token' | 'end' }>): Promise<ChoicePiece> {
    if (event.kind === 'end') return this.finish(event.reason);
    this.numTokens++;
    const added = this.options.stopIds.includes(event.token) ? '' : await this.text.push(event.token);
    if (event.logprob) this.withheld.push(await this.shown(event.token, added, event.logprob));
    this.numFound += length(added);
    const { text, isStopped } = this.matcher.push(added);
    return this.release(text, isStopped ? 'stop' : undefined);
  }

  /** What was withheld, as no more will come. */
  private finish(reason: 'stop' | 'length'): ChoicePiece {
    const left = this.text.end();
    this.numFound += length(left);
    const { text, isStopped } = this.matcher.push(left);
    return isStopped ? this.release(text, 'stop') : this.release(text + this.matcher.flush(), reason);
  }

  /** Gives out text and the tokens that lie in it. What is left at the end belongs to a stop sequence, or has no text. */
  private release(text: string, finishReason?: 'stop' | 'length'): ChoicePiece {
    this.numShown += length(text);
    const isAllShown = this.numShown === this.numFound;
    const isDecided = ({ offset }: ShownToken): boolean => offset < this.numShown || isAllShown;
    const decided = this.withheld.findIndex((token) => !isDecided(token));
    const tokens = this.withheld.splice(0, decided < 0 ? this.withheld.length : decided);
    return { text, tokens, ...(finishReason === undefined ? {} : { finishReason }) };
  }

  private async shown(id: number, added: string, scored: TokenLogprob | null): Promise<ShownToken> {
    const { names } = this.options;
    const token = added === '' ? await names.name(id) : added;
    const top = await Promise.all(
      (scored?.top ?? []).map(async (one) => ({
        token: one.id === id ? token : await names.name(one.id),
        logprob: one.logprob,
      })),
    );
    return { token, offset: this.numFound, logprob: scored?.logprob ?? null, top };
  }
}

/** Characters (code points) of a text: what offsets count in clients of other languages. */
function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
