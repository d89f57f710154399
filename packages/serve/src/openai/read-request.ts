import type { Tokenizer } from '@lethe/data-pipeline';
import { badRequest } from '../http/api-error.js';
import { type ChatRequest, parseChatRequest } from './chat-request.js';
import { type CompletionRequest, parseCompletionRequest } from './completion-request.js';
import { chatPrompt, completionPrompts, type PromptSizes, type PromptTokens, requireIds } from './prompt-tokens.js';

/** What a body is to be read as. */
export type RequestKind = 'completion' | 'chat';

/** What bounds the work that a request may ask for. */
export interface RequestLimits extends PromptSizes {
  /** Choices of one request: prompts times n. */
  maxChoices: number;
}

/** A request that is checked, with its prompts as tokens. */
export type ReadRequest =
  | { kind: 'completion'; request: Omit<CompletionRequest, 'prompt'>; prompts: PromptTokens[] }
  | { kind: 'chat'; request: Omit<ChatRequest, 'messages' | 'chat_template_kwargs'>; prompts: PromptTokens[] };

/** Lists and objects within each other. */
const MOST_NESTED = 100;

/**
 * Reads the body of a request: what takes time with a large one, so that it may run in a thread of its own. Sizes are
 * checked before the work that they bound.
 * @throws ApiError 400.
 */
export async function readRequest(
  tokenizer: Tokenizer,
  { kind, body }: { kind: RequestKind; body: Uint8Array },
  limits: RequestLimits,
): Promise<ReadRequest> {
  const value = parseJson(body);
  if (kind === 'completion') {
    requireSizes(value, limits);
    const asked = parseCompletionRequest(value);
    requireChoices(asked.prompt.length, asked.n, limits);
    const { prompt: _, ...request } = asked;
    return { kind, request, prompts: await completionPrompts(tokenizer, asked, limits) };
  }
  const { messages, chat_template_kwargs, ...request } = parseChatRequest(value);
  requireChoices(1, request.n, limits);
  return { kind, request, prompts: [await chatPrompt(tokenizer, { messages, chat_template_kwargs }, limits)] };
}

/** Refuses lists by their length alone, before each of their elements is looked at. @throws ApiError 400. */
function requireSizes(value: unknown, limits: RequestLimits): void {
  const { prompt } = (value ?? {}) as { prompt?: unknown };
  if (!Array.isArray(prompt)) return;
  if (typeof prompt[0] !== 'number') return requireChoices(prompt.length, 1, limits);
  requireIds(prompt.length, limits);
}

/** @throws ApiError 400 for more choices than ever find a place. */
function requireChoices(numPrompts: number, n: number, { maxChoices }: RequestLimits): void {
  if (numPrompts * n <= maxChoices) return;
  throw badRequest(
    `expected at most ${maxChoices} choices, as many as this server runs and queues (--max-batch, --max-queue), ` +
      `received ${numPrompts} prompts times n = ${n}; send several requests`,
    'n',
    'too_many_choices',
  );
}

function parseJson(body: Uint8Array): unknown {
  const depth = depthOf(body);
  if (depth > MOST_NESTED) {
    throw badRequest(`the body: expected lists and objects at most ${MOST_NESTED} deep, received ${depth}`);
  }
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (cause) {
    throw badRequest(`the body: expected JSON: ${(cause as Error).message}`);
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]); // [ {
const CLOSING = new Set([0x5d, 0x7d]); // ] }

/** How deep the lists and objects of a JSON text lie in each other. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, isText] = [0, 0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) isText = !isText;
    else if (isText && byte === BACKSLASH) i++;
    else if (!isText && OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (!isText && CLOSING.has(byte)) depth--;
  }
  return deepest;
}
