import { type Random, seededRandom } from '@lethe/run';
import { KvCache } from '../kv-cache.js';
import type { LlamaConfig } from '../config.js';
import { sampleToken, type Sampling } from '../sampling.js';
import type { KeptPrefix, SharedPrefix } from './kept-prefixes.js';
import { type TokenLogprob, tokenLogprob } from './token-logprobs.js';

/** Rows that a cache has room for at first, and by whose multiples it grows. */
const CACHE_ROWS = 64;

/** A prompt to continue, to score, or both. */
export interface SequenceRequest {
  prompt: ArrayLike<number>;
  /** 0: the prompt is scored only. */
  maxNewTokens: number;
  /** The sequence ends with one of these ids, which is reported. */
  stopIds: readonly number[];
  sampling: Sampling;
  seed: number;
  /** Tells the choices of one request apart: each has its own random stream under the seed. */
  choice: number;
  /** How many likely tokens to report with the log-probability of each token; absent: no log-probabilities. */
  numTop?: number;
  /** Report log-probabilities of the prompt's tokens too. */
  scoresPrompt?: boolean;
}

/** What became of a sequence in a step. `shared` (prompt tokens that need not be read, if any) is the first; `prompt` comes before the first `token`; `end` or `failure` is the last. */
export type SequenceEvent =
  | { kind: 'shared'; numTokens: number }
  | { kind: 'prompt'; logprobs: (TokenLogprob | null)[] }
  | { kind: 'token'; token: number; logprob?: TokenLogprob }
  | { kind: 'end'; reason: 'stop' | 'length' }
  | { kind: 'failure'; message: string };

/** A sequence that runs: its tokens, its cache, and how far it has been read. */
export class BatchSequence {
  readonly cache: KvCache;
  private readonly ids: number[];
  private readonly random: Random;
  private readonly promptLogprobs: (TokenLogprob | null)[] = [null];

  constructor(
    readonly id: number,
    private readonly request: SequenceRequest,
    config: LlamaConfig,
  ) {
    this.ids = Array.from(request.prompt);
    this.random = seededRandom(request.seed, 'generate', request.choice);
    this.cache = new KvCache(config, 1, Math.min(CACHE_ROWS, this.mostRows));
  }

  /** Takes over the beginning of its prompt from a sequence that began alike. */
  share({ from, numTokens }: SharedPrefix): void {
    this.reserve(numTokens);
    this.cache.copyFrom(from.cache, numTokens);
    if (!this.request.scoresPrompt) return;
    const numTop = this.request.numTop ?? 0;
    for (const scored of from.logprobs.slice(1, numTokens + 1)) {
      this.promptLogprobs.push(scored && { ...scored, top: scored.top.slice(0, numTop) });
    }
  }

  /** What it leaves for others that begin alike; the cache goes with it. */
  leave(): KeptPrefix {
    const { scoresPrompt, numTop = 0 } = this.request;
    const ids = this.ids.slice(0, this.cache.length);
    return { ids, cache: this.cache, logprobs: scoresPrompt ? this.promptLogprobs : [], numTop };
  }

  /** Tokens to read before the next one can be chosen, or the prompt is scored. */
  get numUnread(): number {
    return (this.request.maxNewTokens > 0 ? this.ids.length : this.ids.length - 1) - this.cache.length;
  }

  /** Whether the prompt has not been read to its end. */
  get isReadingPrompt(): boolean {
    return this.cache.length < this.request.prompt.length;
  }

  /** The next `count` unread tokens, with room for them in the cache. */
  take(count: number): number[] {
    const from = this.cache.length;
    const needed = from + count;
    this.reserve(needed);
    return this.ids.slice(from, needed);
  }

  /** Which of the `count` rows taken next have logits that matter. */
  wantedRows(count: number): number[] {
    const rows = Array.from({ length: count }, (_, row) => row);
    if (this.request.scoresPrompt && this.isReadingPrompt) return rows;
    return count === this.numUnread ? [count - 1] : [];
  }

  /** Takes the logits after token `at`: scores the prompt's next token, or chooses a new one. */
  accept(at: number, logits: Float32Array): SequenceEvent[] {
    const { prompt, numTop = 0, maxNewTokens } = this.request;
    if (at + 1 < prompt.length) {
      this.promptLogprobs.push(tokenLogprob(logits, prompt[at + 1], numTop));
      return maxNewTokens === 0 && at + 2 === prompt.length ? this.whenRead() : [];
    }
    const events = at + 1 === prompt.length ? this.whenRead() : [];
    return [...events, ...this.choose(logits)];
  }

  /** Reports the prompt's scores; and the end, where there is nothing to generate. */
  whenRead(): SequenceEvent[] {
    const { scoresPrompt, maxNewTokens } = this.request;
    const events: SequenceEvent[] = scoresPrompt ? [{ kind: 'prompt', logprobs: this.promptLogprobs }] : [];
    return maxNewTokens === 0 ? [...events, { kind: 'end', reason: 'length' }] : events;
  }

  /** Releases the cache. */
  dispose(): void {
    this.cache.dispose();
  }

  /** No token is read after the last one, so it needs no row. */
  private get mostRows(): number {
    return Math.max(1, this.request.prompt.length + this.request.maxNewTokens - 1);
  }

  private reserve(needed: number): void {
    if (needed <= this.cache.capacity) return;
    const roomy = Math.ceil(Math.max(needed, 1.5 * this.cache.capacity) / CACHE_ROWS) * CACHE_ROWS;
    this.cache.reserve(Math.min(roomy, this.mostRows));
  }

  private choose(logits: Float32Array): SequenceEvent[] {
    const { prompt, maxNewTokens, numTop, sampling, stopIds } = this.request;
    const token = sampleToken(logits, sampling, this.random);
    this.ids.push(token);
    const logprob = numTop === undefined ? {} : { logprob: tokenLogprob(logits, token, numTop) };
    const events: SequenceEvent[] = [{ kind: 'token', token, ...logprob }];
    if (stopIds.includes(token)) events.push({ kind: 'end', reason: 'stop' });
    else if (this.ids.length - prompt.length === maxNewTokens) events.push({ kind: 'end', reason: 'length' });
    return events;
  }
}
