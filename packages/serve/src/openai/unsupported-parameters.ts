import { nearestName, plainLine } from '@lethe/run';
import { badRequest } from '../http/api-error.js';

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const isOneOf =
  (...values: unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

/**
 * Parameters of OpenAI's and vLLM's interfaces that change what an answer means, which this server does not know, with
 * the values that ask for nothing.
 */
const REFUSED: Record<string, (value: unknown) => boolean> = {
  add_generation_prompt: isOneOf(true),
  add_special_tokens: isOneOf(false),
  allowed_token_ids: () => false,
  audio: () => false,
  bad_words: isEmpty,
  best_of: isOneOf(1),
  chat_template: () => false,
  chat_template_kwargs: isEmpty,
  continue_final_message: isOneOf(false),
  detokenize: isOneOf(true),
  documents: isEmpty,
  early_stopping: isOneOf(false),
  echo: isOneOf(false),
  frequency_penalty: isOneOf(0),
  function_call: isOneOf('none', 'auto'),
  functions: isEmpty,
  guided_choice: () => false,
  guided_grammar: () => false,
  guided_json: () => false,
  guided_regex: () => false,
  include_stop_str_in_output: isOneOf(false),
  kv_transfer_params: isEmpty,
  length_penalty: isOneOf(1),
  logit_bias: isEmpty,
  logits_processors: isEmpty,
  min_p: isOneOf(0),
  min_tokens: isOneOf(0),
  mm_processor_kwargs: isEmpty,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  presence_penalty: isOneOf(0),
  prompt_logprobs: () => false,
  reasoning_effort: isOneOf('none'),
  repetition_penalty: isOneOf(1),
  response_format: (value) => (value as { type?: unknown }).type === 'text',
  return_token_ids: isOneOf(false),
  return_tokens_as_token_ids: isOneOf(false),
  skip_special_tokens: isOneOf(true),
  structured_outputs: () => false,
  suffix: isOneOf(''),
  tool_choice: isOneOf('none', 'auto'),
  tools: isEmpty,
  truncate_prompt_tokens: () => false,
  use_beam_search: isOneOf(false),
  verbosity: isOneOf('medium'),
  vllm_xargs: isEmpty,
  web_search_options: () => false,
};

/** Parameters that change nothing of an answer. */
const IGNORED = new Set([
  'cache_salt',
  'guided_decoding_backend',
  'guided_whitespace_pattern',
  'include_reasoning',
  'metadata',
  'parallel_tool_calls',
  'prediction',
  'priority',
  'prompt_cache_key',
  'prompt_cache_retention',
  'request_id',
  'safety_identifier',
  'service_tier',
  'spaces_between_special_tokens', // none are shown
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
  return badRequest(`${plainLine(name, 40)}: unknown parameter; ${hint}`, name, 'unknown_parameter');
}
