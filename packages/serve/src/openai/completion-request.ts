import { z } from 'zod';
import { badRequest } from '../http/api-error.js';
import { parseRequest, samplingShape } from './request-schema.js';

const tokens = z.array(z.int().min(0)).min(1);

const completionSchema = z.object({
  ...samplingShape,
  prompt: z
    .union([z.string(), tokens, z.array(z.string()).min(1), z.array(tokens).min(1)], {
      error: 'expected a string, a list of token ids, or a list of either',
    })
    .transform((prompt): (string | number[])[] => {
      if (typeof prompt === 'string') return [prompt];
      return typeof prompt[0] === 'number' ? [prompt as number[]] : (prompt as (string | number[])[]);
    }),
  max_tokens: z.int().min(0).default(16),
  echo: z.boolean().default(false),
  logprobs: z.int().min(0).max(20).optional(),
  best_of: z.int().optional(),
  add_special_tokens: z.boolean().default(true),
  parse_special_tokens: z.boolean().default(false),
});

/** A request to `/v1/completions`, checked; `prompt` is always a list. */
export type CompletionRequest = z.output<typeof completionSchema>;

/** Reads the body of a request to `/v1/completions`. @throws ApiError 400. */
export function parseCompletionRequest(body: unknown): CompletionRequest {
  const request = parseRequest(completionSchema, body);
  const { best_of, n } = request;
  if (best_of !== undefined && best_of !== n) {
    throw badRequest(
      `best_of: expected n, which is ${n}: this server returns all it generates, received ${best_of}`,
      'best_of',
      'unsupported_parameter',
    );
  }
  return request;
}
