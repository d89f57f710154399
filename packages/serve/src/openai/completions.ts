import { randomUUID } from 'node:crypto';
import type { Exchange } from '../http/exchange.js';
import { jsonPieces, ListToWrite } from '../http/json-pieces.js';
import type { ReadRequest } from './read-request.js';
import type { ChoicePiece, ShownToken } from '../text/choice-text.js';
import { prepareChoices } from './choices.js';
import { checkModel, type ServedModel } from './served-model.js';

/** Log-probabilities of a choice as `/v1/completions` writes them: parallel lists. */
interface CompletionLogprobs {
  tokens: ListToWrite<ShownToken>;
  token_logprobs: ListToWrite<ShownToken>;
  top_logprobs: ListToWrite<ShownToken>;
  text_offset: ListToWrite<ShownToken>;
}

/** The likely tokens of one place by name, the chosen one always among them; of tokens of one name the likeliest. */
function topByName({ token, logprob, top }: ShownToken): Record<string, number> | null {
  if (logprob === null) return null;
  const all: Record<string, number> = {};
  for (const one of [{ token, logprob }, ...top]) all[one.token] = Math.max(one.logprob, all[one.token] ?? -Infinity);
  return all;
}

function logprobsOf(tokens: ShownToken[]): CompletionLogprobs {
  return {
    tokens: new ListToWrite(tokens, ({ token }) => token),
    token_logprobs: new ListToWrite(tokens, ({ logprob }) => logprob),
    top_logprobs: new ListToWrite(tokens, topByName),
    text_offset: new ListToWrite(tokens, ({ offset }) => offset),
  };
}

/** Answers `POST /v1/completions`. @throws ApiError. */
export async function answerCompletion(
  served: ServedModel,
  exchange: Exchange,
  { request, prompts }: Extract<ReadRequest, { kind: 'completion' }>,
): Promise<void> {
  checkModel(served, request.model);
  const { echo, logprobs: numTop, max_tokens: maxTokens } = request;
  const planned = prepareChoices(served, prompts, {
    sampling: request,
    maxTokens,
    echo,
    numTop,
    param: 'prompt',
    exchange,
  });
  const created = Math.floor(Date.now() / 1000);
  const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created, model: served.name };
  const choice = (index: number, { text, tokens, finishReason }: ChoicePiece): object => ({
    index,
    text,
    logprobs: numTop === undefined ? null : logprobsOf(tokens),
    finish_reason: finishReason ?? null,
  });
  if (request.stream) {
    const usage = request.stream_options?.include_usage ? { usage: null } : {};
    exchange.startEvents();
    exchange.usage = await planned.run((index, piece) => {
      if (isWorthSending(piece)) exchange.sendEvent({ ...head, choices: [choice(index, piece)], ...usage });
    });
    if ('usage' in usage) exchange.sendEvent({ ...head, choices: [], usage: exchange.usage });
    exchange.endEvents();
    return;
  }
  const whole = Array.from({ length: planned.numChoices }, (): ChoicePiece => ({ text: '', tokens: [] }));
  exchange.usage = await planned.run((index, piece) => joinPiece(whole[index], piece));
  const choices = whole.map((piece, index) => choice(index, piece));
  await exchange.sendPieces(jsonPieces({ ...head, choices, usage: exchange.usage }));
}

/** Whether a piece tells the client anything. */
export const isWorthSending = ({ text, tokens, finishReason }: ChoicePiece): boolean =>
  text !== '' || tokens.length > 0 || finishReason !== undefined;

/** Adds a piece to what a choice has so far. */
export function joinPiece(whole: ChoicePiece, piece: ChoicePiece): void {
  whole.text += piece.text;
  for (const token of piece.tokens) whole.tokens.push(token);
  if (piece.finishReason) whole.finishReason = piece.finishReason;
}
