import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { SequenceRequest, TokenLogprob } from '@lethe/model';
import type { Exchange, Usage } from '../http/exchange.js';
import { badRequest } from '../http/api-error.js';
import { type ChoicePiece, ChoiceText } from '../text/choice-text.js';
import { TokenText } from '../text/token-text.js';
import { checkLengths, type PromptTokens } from './prompt-tokens.js';
import type { SamplingParameters } from './request-schema.js';
import type { ServedModel } from './served-model.js';

/** How the choices of a request are made. */
export interface ChoicesOptions {
  sampling: SamplingParameters;
  /** Absent: up to the context. */
  maxTokens: number | undefined;
  /** Begin each choice with its prompt. */
  echo: boolean;
  /** How many likely tokens to list beside each; absent: no log-probabilities. */
  numTop: number | undefined;
  /** The parameter that errors about prompts name. */
  param: string;
}

/** One choice: what the model is to do, and how its text is to be put together. */
interface Choice {
  index: number;
  prompt: PromptTokens;
  request: SequenceRequest;
}

/**
 * The ids that end an answer: the model's own unless they are to be ignored, and those of the request.
 * @throws ApiError 400 for an id that the model cannot write.
 */
function stopIdsOf({ stopIds, engine }: ServedModel, { stop_token_ids, ignore_eos }: SamplingParameters): number[] {
  const { vocabSize } = engine.config;
  const foreign = stop_token_ids.find((id) => id >= vocabSize);
  if (foreign === undefined) return [...new Set([...(ignore_eos ? [] : stopIds), ...stop_token_ids])];
  throw badRequest(
    `stop_token_ids: expected ids below ${vocabSize}, the size of the model's vocabulary, received ${foreign}`,
    'stop_token_ids',
    'invalid_value',
  );
}

const MOST_SEED = Number.MAX_SAFE_INTEGER;

/**
 * Log-probabilities that one answer may hold: of the tokens of its prompts with `echo`, of new ones unless it streams, and
 * of the likely ones beside each. About 150 bytes of memory each.
 */
const MOST_LOGPROBS = 2 ** 19;

/** @throws ApiError 400 for an answer that would hold too much. */
function requireWork(choices: readonly Choice[], { numTop, echo, sampling }: ChoicesOptions): void {
  if (numTop === undefined) return;
  const tokensOf = ({ prompt, request }: Choice): number =>
    (echo ? prompt.ids.length : 0) + (sampling.stream ? 0 : request.maxNewTokens);
  const numTokens = choices.reduce((sum, choice) => sum + tokensOf(choice), 0);
  const received = numTokens * (1 + numTop);
  if (received <= MOST_LOGPROBS) return;
  throw badRequest(
    `expected at most ${MOST_LOGPROBS} log-probabilities in an answer, received a request for up to ${received} ` +
      `(${numTokens} tokens, ${1 + numTop} each); ask for fewer choices, tokens or likely tokens, or stream`,
    'logprobs',
    'too_many_logprobs',
  );
}

/** The choices of every prompt, checked before any of them runs. @throws ApiError 400. */
function planChoices(served: ServedModel, prompts: PromptTokens[], options: ChoicesOptions): Choice[] {
  const { sampling, echo, numTop, param } = options;
  const { temperature, top_p: topP, top_k: topK, n, seed } = sampling;
  const stopIds = stopIdsOf(served, sampling);
  return prompts.flatMap((prompt, p) => {
    const maxNewTokens = checkLengths(prompt.ids, served.engine.config, { maxTokens: options.maxTokens, param });
    const common = {
      prompt: prompt.ids,
      maxNewTokens,
      stopIds,
      sampling: { temperature, topP, topK },
      ...(numTop === undefined ? {} : { numTop, scoresPrompt: echo }),
    };
    return Array.from({ length: n }, (_, choice) => ({
      index: p * n + choice,
      prompt,
      request: {
        ...common,
        // Without a seed every choice has its own, so that a prompt sent twice in a request is answered twice.
        seed: seed === undefined ? randomInt(2 ** 47) : seed < 0 ? MOST_SEED + seed : seed,
        choice,
      },
    }));
  });
}

/** Choices that are checked and can be run; `run` hands over each piece as it comes, and returns the tokens used. */
export interface PlannedChoices {
  numChoices: number;
  run(onPiece: (index: number, piece: ChoicePiece) => void): Promise<Usage>;
}

/** Checks the choices of a request and prepares to run them at once. @throws ApiError 400, 429. */
export function prepareChoices(
  served: ServedModel,
  prompts: PromptTokens[],
  options: ChoicesOptions & { exchange: Exchange },
): PlannedChoices {
  const choices = planChoices(served, prompts, options);
  requireWork(choices, options);
  served.engine.requireRoom(choices.length);
  return {
    numChoices: choices.length,
    run: async (onPiece) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, options.exchange.signal]);
      setMaxListeners(0, signal);
      const counts = choices.map((choice) => runChoice(served, choice, { ...options, signal, onPiece }));
      try {
        return usageOf(prompts, await Promise.all(counts), options.sampling.n);
      } finally {
        stop.abort(new Error('another choice of the request failed'));
        await Promise.allSettled(counts);
      }
    },
  };
}

interface ChoiceCounts {
  generated: number;
  /** Tokens of the prompt that were not computed. */
  cached: number;
}

/** A prompt counts once, however many choices it has. */
function usageOf(prompts: PromptTokens[], counts: ChoiceCounts[], n: number): Usage {
  const prompt = prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  const completion = counts.reduce((sum, { generated }) => sum + generated, 0);
  const cached = counts.reduce((sum, one, index) => sum + (index % n === 0 ? one.cached : 0), 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

interface RunOptions extends ChoicesOptions {
  signal: AbortSignal;
  onPiece: (index: number, piece: ChoicePiece) => void;
}

/** Runs one choice to its end. */
async function runChoice(
  served: ServedModel,
  { index, prompt, request }: Choice,
  run: RunOptions,
): Promise<ChoiceCounts> {
  const { tokenizer, names, engine } = served;
  const { sampling, echo, onPiece, signal } = run;
  const wantsLogprobs = run.numTop !== undefined;
  const spellsPrompt = echo && (wantsLogprobs || prompt.text === undefined);
  const context = spellsPrompt ? [] : prompt.ids;
  const choice = new ChoiceText(new TokenText(tokenizer, context), {
    stops: sampling.stop,
    stopIds: request.stopIds ?? [],
    names,
    wantsLogprobs,
  });
  const sequence = engine.start(request, signal);
  let [cached, numScored] = [0, 0];
  try {
    // With log-probabilities the prompt's text comes with them.
    if (echo && !wantsLogprobs) {
      onPiece(index, spellsPrompt ? await choice.prompt(prompt.ids, []) : { text: prompt.text!, tokens: [] });
    }
    for await (const event of sequence.events) {
      if (event.kind === 'failure') continue; // thrown by the engine
      if (event.kind === 'shared') {
        cached = event.numTokens;
        continue;
      }
      const piece =
        event.kind === 'prompt'
          ? await choice.prompt(...scoredPart(prompt, event.logprobs, numScored))
          : await choice.accept(event);
      if (event.kind === 'prompt') numScored += event.logprobs.length;
      onPiece(index, piece);
      if (piece.finishReason) break;
    }
  } finally {
    sequence.cancel();
  }
  return { generated: choice.numTokens, cached };
}

type Scores = (TokenLogprob | null)[];

/** The tokens that some scores belong to, and the text that the client wrote, with the first of them. */
function scoredPart(
  { ids, text }: PromptTokens,
  scores: Scores,
  from: number,
): [Int32Array, Scores, string | undefined] {
  const echoed = text === undefined || from === 0 ? text : '';
  return [ids.subarray(from, from + scores.length), scores, echoed];
}
