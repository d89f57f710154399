import { z } from 'zod';
import { badRequest } from '../http/api-error.js';
import { meaningfulParameters } from './unsupported-parameters.js';

/** OpenAI takes 4; evaluation harnesses send more. */
const MOST_STOPS = 256;

/** Characters of a stop, and ids that end an answer: each new token is held against all of them. */
const MOST_STOP_LENGTH = 1024;
const MOST_STOP_IDS = 1024;

const stopText = z.string().min(1).max(MOST_STOP_LENGTH);
const stop = z
  .union([stopText, z.array(stopText).max(MOST_STOPS)], {
    error: `expected a text or a list of at most ${MOST_STOPS} texts, of 1 to ${MOST_STOP_LENGTH} characters each`,
  })
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** The parameters that `/v1/completions` and `/v1/chat/completions` share. `top_k` is an extension: 0 or -1 = all. */
export const samplingShape = {
  model: z.string().optional(),
  n: z.int().min(1).max(128).default(1),
  temperature: z.number().min(0).max(2).default(1),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z
    .int()
    .min(-1)
    .default(0)
    .transform((k) => Math.max(k, 0)),
  seed: z.int().optional(),
  stop: stop.default([]),
  /** vLLM's: ids that end an answer besides the model's own, and whether the model's own do. */
  stop_token_ids: z.array(z.int().min(0)).max(MOST_STOP_IDS, `expected at most ${MOST_STOP_IDS} ids`).default([]),
  ignore_eos: z.boolean().default(false),
  stream: z.boolean().default(false),
  stream_options: z
    .looseObject({
      include_usage: z.boolean().default(false),
      continuous_usage_stats: z.literal(false, 'expected false: usage comes once, at the end').optional(),
    })
    .transform(({ include_usage }) => ({ include_usage }))
    .optional(),
};

/** What both kinds of request say about sampling and streaming. */
export type SamplingParameters = z.output<z.ZodObject<typeof samplingShape>>;

/**
 * Checks a body against a schema.
 * @throws ApiError 400 naming the parameter, what was expected and what was received.
 */
export function parseRequest<Shape extends z.core.$ZodShape>(
  schema: z.ZodObject<Shape>,
  body: unknown,
): z.output<z.ZodObject<Shape>> {
  const parameters = meaningfulParameters(body, Object.keys(schema.shape));
  const parsed = schema.safeParse(parameters);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue.path.map(String).join('.');
    const text = issue.message.replace(/^(Invalid input|Invalid option|Too big|Too small): /, '');
    const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], parameters);
    throw badRequest(`${path}: ${text.replace(/, received .*/, '')}${receivedText(value)}`, path, 'invalid_value');
  }
  const { stream, stream_options } = parsed.data as Partial<SamplingParameters>;
  if (stream_options !== undefined && stream !== true) {
    throw badRequest('stream_options: expected only together with "stream": true', 'stream_options', 'invalid_value');
  }
  return parsed.data;
}

function receivedText(value: unknown): string {
  if (value === undefined) return ', received nothing';
  const text = JSON.stringify(value);
  return `, received ${text.length > 60 ? `${text.slice(0, 60)}...` : text}`;
}
