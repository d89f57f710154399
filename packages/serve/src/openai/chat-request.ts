import { z } from 'zod';
import { badRequest } from '../http/api-error.js';
import { parseRequest, samplingShape } from './request-schema.js';

const content = z.union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() })).min(1)], {
  error: 'expected text: a string, or a list of parts {"type": "text", "text": "..."}',
});

const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content,
});

/** What the server itself gives a template, or decides about it. */
const GIVEN = ['messages', 'tools', 'documents', 'add_generation_prompt', 'continue_final_message', 'chat_template'];

const templateVariables = z.record(
  z.string().refine((name) => !GIVEN.includes(name)),
  z.unknown(),
  {
    error: ({ code }) =>
      code === 'invalid_key'
        ? `expected variables of the chat template, none of ${GIVEN.join(', ')}`
        : 'expected an object with variables of the chat template',
  },
);

/** One message of a conversation; a template may use further keys. */
export type ChatMessage = z.output<typeof message>;

const chatSchema = z.object({
  ...samplingShape,
  messages: z.array(message).min(1, 'expected at least one message'),
  chat_template_kwargs: templateVariables.default({}),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(20).optional(),
});

/** A request to `/v1/chat/completions`, checked; `max_tokens` is either name's value, absent: up to the context. */
export type ChatRequest = Omit<z.output<typeof chatSchema>, 'max_completion_tokens'>;

/** Reads the body of a request to `/v1/chat/completions`. @throws ApiError 400. */
export function parseChatRequest(body: unknown): ChatRequest {
  const { max_completion_tokens, ...request } = parseRequest(chatSchema, body);
  if (request.top_logprobs !== undefined && !request.logprobs) {
    throw badRequest('top_logprobs: expected only together with "logprobs": true', 'top_logprobs', 'invalid_value');
  }
  if (max_completion_tokens !== undefined && request.max_tokens !== undefined) {
    throw badRequest('max_tokens: expected one of max_tokens and max_completion_tokens, received both', 'max_tokens');
  }
  return { ...request, max_tokens: max_completion_tokens ?? request.max_tokens };
}
