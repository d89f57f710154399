import { nearestName } from '@lethe/run';
import { badRequest } from '../http/api-error.js';

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const isOneOf =
  (...values: unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

/** Parameters that change what an answer means, which this server does not know, with the values that ask for nothing. */
const REFUSED: Record<string, (value: unknown) => boolean> = {
  audio: () => false,
  frequency_penalty: isOneOf(0),
  function_call: isOneOf('none', 'auto'),
  functions: isEmpty,
  logit_bias: isEmpty,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  presence_penalty: isOneOf(0),
  reasoning_effort: isOneOf('none'),
  response_format: (value) => (value as { type?: unknown }).type === 'text',
  suffix: isOneOf(''),
  tool_choice: isOneOf('none', 'auto'),
  tools: isEmpty,
  verbosity: isOneOf('medium'),
  web_search_options: () => false,
};

/** Parameters that change nothing of an answer. */
const IGNORED = new Set([
  'metadata',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
]);

/**
 * The parameters of a body that mean something here: without those that are null (OpenAI's clients send null for
 * absent), harmless, or set to what they are anyway.
 * @throws ApiError 400 for a parameter that this server does not know or cannot honour.
 */
export function meaningfulParameters(body: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('the body: expected a JSON object with the parameters of the request');
  }
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (value === null || IGNORED.has(name)) continue;
    if (known.includes(name)) kept[name] = value;
    else if (!Object.hasOwn(REFUSED, name)) throw unknownParameter(name, known);
    else if (!REFUSED[name](value)) {
      const received = JSON.stringify(value);
      const shown = received.length > 60 ? `${received.slice(0, 60)}...` : received;
      throw badRequest(
        `${name}: not supported by this server, received ${shown}; leave it out`,
        name,
        'unsupported_parameter',
      );
    }
  }
  return kept;
}

function unknownParameter(name: string, known: readonly string[]): Error {
  const near = nearestName(name, known);
  const hint = near === undefined ? `expected some of ${known.join(', ')}` : `did you mean ${near}?`;
  return badRequest(`${name}: unknown parameter; ${hint}`, name, 'unknown_parameter');
}
