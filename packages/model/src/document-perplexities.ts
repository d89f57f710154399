import type { Llama } from './llama.js';
import { scoreSequences } from './score.js';

/** The perplexity of a set of documents under one model. */
export interface PerplexityReport {
  /** Mean negative log-likelihood per token of each document, in nats: its log-perplexity. */
  logPerplexities: number[];
  /** exp of the mean negative log-likelihood over all tokens. */
  perplexity: number;
  /** Tokens that were predicted. */
  numTokens: number;
}

/**
 * Log-perplexities of documents; each is cut to the model's context, its first token is given.
 * @throws RangeError when a document has fewer than two tokens.
 */
export function documentPerplexities(
  model: Llama,
  documents: ArrayLike<number>[],
  options: { maxLength?: number; batchTokens?: number } = {},
): PerplexityReport {
  const maxLength = Math.min(options.maxLength ?? Infinity, model.config.maxPositions);
  const cut = documents.map((ids, i) => {
    if (ids.length < 2) throw new RangeError(`document ${i}: expected at least two tokens, received ${ids.length}`);
    return Array.from(ids).slice(0, maxLength);
  });
  let [total, numTokens] = [0, 0];
  const logPerplexities = scoreSequences(model, cut, { batchTokens: options.batchTokens }).map((logprobs) => {
    const sum = logprobs.reduce<number>((all, logprob) => all - (logprob ?? 0), 0);
    total += sum;
    numTokens += logprobs.length - 1;
    return sum / (logprobs.length - 1);
  });
  return { logPerplexities, perplexity: Math.exp(total / numTokens), numTokens };
}
