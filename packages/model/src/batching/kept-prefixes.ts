import type { KvCache } from '../kv-cache.js';
import type { SequenceRequest } from './batch-sequence.js';
import type { TokenLogprob } from './token-logprobs.js';

/** What a sequence leaves for others that begin alike. */
export interface KeptPrefix {
  /** The tokens read, one for each row of the cache. */
  ids: readonly number[];
  cache: KvCache;
  /** Scores of the first tokens, where its prompt was scored. */
  logprobs: readonly (TokenLogprob | null)[];
  numTop: number;
}

/** A beginning of a prompt that need not be read. */
export interface SharedPrefix {
  from: KeptPrefix;
  numTokens: number;
}

/** Fewer tokens are read again: copying them is not worth it. */
const LEAST_SHARED = 16;

/** Caches of the sequences that ended last, for prompts that begin as they did. */
export class KeptPrefixes {
  /** The one used last at the end. */
  private readonly kept: KeptPrefix[] = [];

  constructor(private readonly most: number) {}

  /** Takes over a cache; those used longest ago are released. */
  keep(prefix: KeptPrefix): void {
    this.kept.push(prefix);
    while (this.kept.length > this.most) this.kept.shift()!.cache.dispose();
  }

  /** The longest beginning of a request's prompt that is known. */
  find(request: SequenceRequest): SharedPrefix | undefined {
    let best: SharedPrefix | undefined;
    for (const from of this.kept) {
      const numTokens = sharedTokens(request, from);
      if (numTokens >= Math.max(LEAST_SHARED, (best?.numTokens ?? 0) + 1)) best = { from, numTokens };
    }
    if (best) this.kept.push(...this.kept.splice(this.kept.indexOf(best.from), 1));
    return best;
  }

  /** Releases all caches. */
  clear(): void {
    for (const { cache } of this.kept.splice(0)) cache.dispose();
  }
}

/** Rows of a cache that a request can take over; the row before the first score or token that it needs is read again. */
function sharedTokens({ prompt, scoresPrompt, numTop = 0 }: SequenceRequest, from: KeptPrefix): number {
  const most = Math.min(prompt.length, from.ids.length);
  let common = 0;
  while (common < most && prompt[common] === from.ids[common]) common++;
  if (!scoresPrompt) return Math.min(common, prompt.length - 1);
  if (from.numTop < numTop) return 0;
  return Math.min(common - 1, prompt.length - 2, from.logprobs.length - 1);
}
