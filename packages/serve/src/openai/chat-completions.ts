import { randomUUID } from 'node:crypto';
import type { Exchange } from '../http/exchange.js';
import { jsonPieces, ListToWrite } from '../http/json-pieces.js';
import type { ReadRequest } from './read-request.js';
import type { ChoicePiece, ShownToken } from '../text/choice-text.js';
import { prepareChoices } from './choices.js';
import { isWorthSending, joinPiece } from './completions.js';
import { checkModel, type ServedModel } from './served-model.js';

/** A token's name, log-probability and UTF-8 bytes; null bytes where the token is a part of a character. */
function entry({ token, logprob }: { token: string; logprob: number | null }): Record<string, unknown> {
  return { token, logprob, bytes: token.includes('\uFFFD') ? null : [...Buffer.from(token, 'utf8')] };
}

const logprobsOf = (tokens: ShownToken[]): object => ({
  content: new ListToWrite(tokens, (token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
  refusal: null,
});

/** Answers `POST /v1/chat/completions`. @throws ApiError. */
export async function answerChat(
  served: ServedModel,
  exchange: Exchange,
  { request, prompts }: Extract<ReadRequest, { kind: 'chat' }>,
): Promise<void> {
  checkModel(served, request.model);
  const planned = prepareChoices(served, prompts, {
    sampling: request,
    maxTokens: request.max_tokens,
    echo: false,
    numTop: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
    param: 'messages',
    exchange,
  });
  const created = Math.floor(Date.now() / 1000);
  const head = (object: string): object => ({ id, object, created, model: served.name });
  const id = `chatcmpl-${randomUUID()}`;
  const ending = ({ tokens, finishReason }: ChoicePiece): object => ({
    logprobs: request.logprobs ? logprobsOf(tokens) : null,
    finish_reason: finishReason ?? null,
  });
  if (request.stream) {
    const usage = request.stream_options?.include_usage ? { usage: null } : {};
    const send = (index: number, delta: object, piece: ChoicePiece): void =>
      exchange.sendEvent({
        ...head('chat.completion.chunk'),
        choices: [{ index, delta, ...ending(piece) }],
        ...usage,
      });
    exchange.startEvents();
    for (let index = 0; index < planned.numChoices; index++) {
      send(index, { role: 'assistant', content: '' }, { text: '', tokens: [] });
    }
    exchange.usage = await planned.run((index, piece) => {
      if (isWorthSending(piece)) send(index, piece.text === '' ? {} : { content: piece.text }, piece);
    });
    if ('usage' in usage) {
      exchange.sendEvent({ ...head('chat.completion.chunk'), choices: [], usage: exchange.usage });
    }
    exchange.endEvents();
    return;
  }
  const whole = Array.from({ length: planned.numChoices }, (): ChoicePiece => ({ text: '', tokens: [] }));
  exchange.usage = await planned.run((index, piece) => joinPiece(whole[index], piece));
  const choices = whole.map((piece, index) => ({
    index,
    message: { role: 'assistant', content: piece.text, refusal: null },
    ...ending(piece),
  }));
  await exchange.sendPieces(jsonPieces({ ...head('chat.completion'), choices, usage: exchange.usage }));
}
