import { ChatRenderer, type Role, type Tokenizer, TokenizerError, type Turn } from '@lethe/data-pipeline';
import { badRequest } from '../http/api-error.js';
import type { ChatMessage, ChatRequest } from './chat-request.js';
import type { CompletionRequest } from './completion-request.js';

/** A prompt as tokens, and as text where the client wrote text. */
export interface PromptTokens {
  ids: ArrayLike<number>;
  text?: string;
}

/** The prompts of a completion request; texts get what the tokenizer adds around a text, usually a BOS. */
export async function completionPrompts(tokenizer: Tokenizer, request: CompletionRequest): Promise<PromptTokens[]> {
  const { add_special_tokens, parse_special_tokens } = request;
  const options = { addSpecialTokens: add_special_tokens, parseSpecialTokens: parse_special_tokens };
  return Promise.all(
    request.prompt.map(async (prompt) => {
      if (typeof prompt !== 'string') return { ids: prompt };
      return { ids: await tokenizer.encode(prompt, options), text: prompt };
    }),
  );
}

/** A conversation through the model's own chat template. @throws ApiError 400 when there is none or it refuses. */
export async function chatPrompt(
  tokenizer: Tokenizer,
  { messages, chat_template_kwargs: variables }: Pick<ChatRequest, 'messages' | 'chat_template_kwargs'>,
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
    return { ids: await new ChatRenderer(tokenizer).prompt({ turns: messages.map(toTurn), variables }) };
  } catch (error) {
    if (error instanceof TokenizerError) throw badRequest(error.message, 'messages');
    throw error;
  }
}

function toTurn({ role, content, ...rest }: ChatMessage): Turn {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('');
  const keys = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  return { role: role === 'developer' ? 'system' : (role satisfies Role), content: text, keys };
}

/**
 * How many tokens may be generated.
 * @throws ApiError 400 with the numbers for an empty prompt, one that does not fit, or ids outside the vocabulary.
 */
export function checkLengths(
  ids: ArrayLike<number>,
  sizes: { vocabSize: number; maxPositions: number },
  wanted: { maxTokens: number | undefined; param: string },
): number {
  const { vocabSize, maxPositions } = sizes;
  const { maxTokens, param } = wanted;
  if (ids.length === 0) throw badRequest(`${param}: expected at least one token, received an empty prompt`, param);
  const outside = Array.from(ids).find((id) => id >= vocabSize);
  if (outside !== undefined) {
    throw badRequest(`${param}: expected token ids in [0, ${vocabSize}), received ${outside}`, param);
  }
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
