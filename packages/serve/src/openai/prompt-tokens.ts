import { ChatRenderer, type Role, type Tokenizer, TokenizerError, type Turn } from '@lethe/data-pipeline';
import { badRequest } from '../http/api-error.js';
import type { ChatMessage, ChatRequest } from './chat-request.js';
import type { CompletionRequest } from './completion-request.js';

/** A prompt as tokens, and as text where the client wrote text that is to be told again. */
export interface PromptTokens {
  ids: Int32Array;
  text?: string;
}

/** What bounds a prompt. */
export interface PromptSizes {
  vocabSize: number;
  maxPositions: number;
}

/**
 * The prompts of a completion request; texts get what the tokenizer adds around a text, usually a BOS.
 * @throws ApiError 400 for a text that is longer than the context's tokens can spell, before it is tokenized.
 */
export async function completionPrompts(
  tokenizer: Tokenizer,
  request: CompletionRequest,
  sizes: PromptSizes,
): Promise<PromptTokens[]> {
  const { add_special_tokens, parse_special_tokens, echo, prompt: prompts } = request;
  const options = { addSpecialTokens: add_special_tokens, parseSpecialTokens: parse_special_tokens };
  for (const prompt of prompts) checkSize(tokenizer, prompt, sizes);
  return Promise.all(
    prompts.map(async (prompt) => {
      if (typeof prompt !== 'string') return { ids: Int32Array.from(prompt) };
      return { ids: await tokenizer.encode(prompt, options), ...(echo ? { text: prompt } : {}) };
    }),
  );
}

/** @throws ApiError 400 for a prompt that cannot fit, as its size alone tells. */
function checkSize(tokenizer: Tokenizer, prompt: string | number[], sizes: PromptSizes): void {
  const { vocabSize } = sizes;
  if (typeof prompt === 'string') return checkText(tokenizer, prompt, { ...sizes, param: 'prompt' });
  requireIds(prompt.length, sizes);
  const outside = prompt.find((id) => id >= vocabSize);
  if (outside !== undefined) throw outsideError('prompt', vocabSize, outside);
}

/** @throws ApiError 400 for more ids than fit. */
export function requireIds(count: number, sizes: PromptSizes): void {
  if (count > sizes.maxPositions) throw tooLong(`${count} token ids`, { ...sizes, param: 'prompt' });
}

function checkText({ longestToken }: Tokenizer, text: string, sizes: PromptSizes & { param: string }): void {
  if (text.length <= sizes.maxPositions * longestToken) return;
  throw tooLong(`a text of ${text.length} characters, where a token spells ${longestToken} at most`, sizes);
}

const tooLong = (received: string, { maxPositions, param }: PromptSizes & { param: string }): Error =>
  badRequest(
    `this model's context is ${maxPositions} tokens, and the request has ${received}; shorten it`,
    param,
    'context_length_exceeded',
  );

const outsideError = (param: string, vocabSize: number, id: number): Error =>
  badRequest(`${param}: expected token ids in [0, ${vocabSize}), received ${id}`, param);

/** A conversation through the model's own chat template. @throws ApiError 400 when there is none or it refuses. */
export async function chatPrompt(
  tokenizer: Tokenizer,
  { messages, chat_template_kwargs: variables }: Pick<ChatRequest, 'messages' | 'chat_template_kwargs'>,
  sizes: PromptSizes,
): Promise<PromptTokens> {
  if (tokenizer.chatTemplate === undefined) {
    throw badRequest(
      'this model has no chat template: use /v1/completions, or add a chat_template to tokenizer_config.json ' +
        'in the model folder and start the server again',
      'messages',
      'no_chat_template',
    );
  }
  try {
    const renderer = new ChatRenderer(tokenizer);
    const conversation = { turns: messages.map(toTurn), variables };
    // A template may leave messages out, so that what it makes of them counts; it is asked only where it matters.
    const written = conversation.turns.reduce((sum, { content }) => sum + content.length, 0);
    if (written > sizes.maxPositions * tokenizer.longestToken) {
      checkText(tokenizer, renderer.text(conversation, true), { ...sizes, param: 'messages' });
    }
    return { ids: await renderer.prompt(conversation) };
  } catch (error) {
    if (error instanceof TokenizerError) throw badRequest(error.message, 'messages');
    throw error;
  }
}

function toTurn({ role, content, ...rest }: ChatMessage): Turn {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('');
  const keys = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (role === 'developer') return { role: 'system', spelledRole: role, content: text, keys };
  return { role: role satisfies Role, content: text, keys };
}

/**
 * How many tokens may be generated.
 * @throws ApiError 400 with the numbers for an empty prompt, one that does not fit, or ids outside the vocabulary.
 */
export function checkLengths(
  ids: Int32Array,
  sizes: PromptSizes,
  wanted: { maxTokens: number | undefined; param: string },
): number {
  const { vocabSize, maxPositions } = sizes;
  const { maxTokens, param } = wanted;
  if (ids.length === 0) throw badRequest(`${param}: expected at least one token, received an empty prompt`, param);
  const outside = ids.find((id) => id >= vocabSize);
  if (outside !== undefined) throw outsideError(param, vocabSize, outside);
  const most = maxPositions - ids.length;
  if (most < (maxTokens ?? 1)) {
    throw badRequest(
      `this model's context is ${maxPositions} tokens, and the request needs ${ids.length + (maxTokens ?? 1)} ` +
        `(${ids.length} of the prompt, ${maxTokens ?? 'at least 1'} to generate); shorten one of them`,
      param,
      'context_length_exceeded',
    );
  }
  return maxTokens ?? most;
}
