import { parseChatRequest } from './chat-request.js';
import { parseCompletionRequest } from './completion-request.js';

/** vLLM's parameters with the values that its clients send by default. */
const NEUTRAL = {
  min_p: 0,
  top_k: -1,
  repetition_penalty: 1,
  length_penalty: 1,
  use_beam_search: false,
  ignore_eos: false,
  min_tokens: 0,
  stop_token_ids: [],
  bad_words: [],
  allowed_token_ids: null,
  include_stop_str_in_output: false,
  skip_special_tokens: true,
  spaces_between_special_tokens: true,
  truncate_prompt_tokens: null,
  prompt_logprobs: null,
  return_tokens_as_token_ids: false,
  return_token_ids: false,
  guided_json: null,
  structured_outputs: null,
  echo: false,
  best_of: 1,
  add_generation_prompt: true,
  continue_final_message: false,
  chat_template_kwargs: {},
  priority: 0,
  request_id: 'x',
};

const hello = [{ role: 'user', content: 'hello' }];

describe('/v1/completions', () => {
  it('has the defaults of OpenAI', () => {
    expect(parseCompletionRequest({ prompt: 'a' })).toEqual({
      prompt: ['a'],
      max_tokens: 16,
      temperature: 1,
      top_p: 1,
      top_k: 0,
      n: 1,
      stop: [],
      stop_token_ids: [],
      ignore_eos: false,
      stream: false,
      echo: false,
      add_special_tokens: true,
      parse_special_tokens: false,
    });
  });

  it.each([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1], [2, 3]],
      [[1], [2, 3]],
    ],
  ])('prompt %j', (prompt, expected) => {
    expect(parseCompletionRequest({ prompt }).prompt).toEqual(expected);
  });

  it('ignores null and what changes nothing', () => {
    const harmless = {
      user: 'me',
      metadata: { a: 1 },
      store: true,
      suffix: null,
      logit_bias: {},
      frequency_penalty: 0,
    };
    expect(parseCompletionRequest({ prompt: 'a', best_of: 1, stop: null, ...harmless }).stop).toEqual([]);
  });

  it("takes more stops than OpenAI, and vLLM's parameters where they ask for nothing", () => {
    const stop = ['\nclass', '\ndef', '\n#', '\nif', '\nprint', '\n@'];
    expect(parseCompletionRequest({ prompt: 'a', stop }).stop).toEqual(stop);
    const { best_of, ...request } = parseCompletionRequest({ prompt: 'a', ...NEUTRAL });
    expect(best_of).toBe(1);
    expect(request).toEqual(parseCompletionRequest({ prompt: 'a' }));
    expect(parseChatRequest({ messages: hello, ...NEUTRAL })).toEqual(parseChatRequest({ messages: hello }));
  });

  it.each([
    [{}, 'prompt', /expected a string, a list of token ids, or a list of either, received nothing/],
    [{ prompt: [] }, 'prompt', /expected a string/],
    [{ prompt: [1, -2] }, 'prompt.1', /expected number to be >=0, received -2/],
    [{ prompt: ['a', 3] }, 'prompt', /expected a string/],
    [{ prompt: 'a', max_tokens: -1 }, 'max_tokens', /expected number to be >=0, received -1/],
    [{ prompt: 'a', max_tokens: 1.5 }, 'max_tokens', /expected int, received 1\.5/],
    [{ prompt: 'a', temperature: '1' }, 'temperature', /expected number, received "1"/],
    [{ prompt: 'a', temperature: 2.1 }, 'temperature', /expected number to be <=2, received 2\.1/],
    [{ prompt: 'a', top_p: 0 }, 'top_p', /expected number to be >0, received 0/],
    [{ prompt: 'a', n: 200 }, 'n', /<=128, received 200/],
    [{ prompt: 'a', stop: Array.from({ length: 257 }, String) }, 'stop', /at most 256 texts/],
    [{ prompt: 'a', stop: [''] }, 'stop.0', /at least 1|>=1 characters, received ""/],
    [{ prompt: 'a', stop: 'x'.repeat(1025) }, 'stop', /<=1024 characters/],
    [{ prompt: 'a', stop_token_ids: Array.from({ length: 1025 }, () => 1) }, 'stop_token_ids', /at most 1024 ids/],
    [{ prompt: 'a', logprobs: true }, 'logprobs', /expected number, received true/],
    [{ prompt: 'a', best_of: 2 }, 'best_of', /expected n, which is 1/],
    [{ prompt: 'a', suffix: 'b' }, 'suffix', /not supported by this server, received "b"; leave it out/],
    [{ prompt: 'a', logit_bias: { 5: 1 } }, 'logit_bias', /not supported/],
    [{ prompt: 'a', presence_penalty: 0.5 }, 'presence_penalty', /not supported/],
    [{ prompt: 'a', stream_options: { include_usage: true } }, 'stream_options', /together with "stream": true/],
    [{ prompt: 'a', min_p: 0.1 }, 'min_p', /not supported by this server, received 0\.1/],
    [{ prompt: 'a', repetition_penalty: 1.1 }, 'repetition_penalty', /not supported/],
    [{ prompt: 'a', ignore_eos: 'yes' }, 'ignore_eos', /expected boolean/],
    [{ prompt: 'a', skip_special_tokens: false }, 'skip_special_tokens', /not supported/],
    [{ prompt: 'a', stop_token_ids: ['</s>'] }, 'stop_token_ids.0', /expected .*number/],
    [{ prompt: 'a', guided_json: {} }, 'guided_json', /not supported/],
    [{ prompt: 'a', chat_template_kwargs: { a: 1 } }, 'chat_template_kwargs', /not supported/],
    [
      { prompt: 'a', stream: true, stream_options: { continuous_usage_stats: true } },
      'stream_options.continuous_usage_stats',
      /expected false: usage comes once, at the end, received true/,
    ],
    [{ prompt: 'a', max_tokns: 3 }, 'max_tokns', /unknown parameter; did you mean max_tokens\?/],
    [{ prompt: 'a', zebra: 3 }, 'zebra', /unknown parameter; expected some of model, n,/],
    [[], undefined, /expected a JSON object/],
  ])('refuses %j', (body, param, message) => {
    let error: unknown;
    try {
      parseCompletionRequest(body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect((error as { details: { param?: string } }).details.param).toBe(param);
  });
});

describe('/v1/chat/completions', () => {
  it('takes texts, parts of text, and both names of the limit', () => {
    const parts = [{ type: 'text', text: 'hel' }];
    const request = { messages: [{ role: 'developer', content: parts, name: 'x' }], max_completion_tokens: 5 };
    expect(parseChatRequest(request)).toMatchObject({
      messages: [{ role: 'developer', content: parts }],
      max_tokens: 5,
    });
    expect(parseChatRequest({ messages: hello }).max_tokens).toBeUndefined();
    const variables = { enable_thinking: false };
    expect(parseChatRequest({ messages: hello, chat_template_kwargs: variables }).chat_template_kwargs).toEqual(
      variables,
    );
    const neutral = { response_format: { type: 'text' }, tools: [], tool_choice: 'auto', modalities: ['text'] };
    expect(parseChatRequest({ messages: hello, ...neutral, logprobs: true, top_logprobs: 3 }).top_logprobs).toBe(3);
  });

  it.each([
    [{ messages: [] }, 'messages', /at least one message/],
    [{ messages: 'hello' }, 'messages', /expected array, received "hello"/],
    [{ messages: [{ role: 'tool', content: 'a' }] }, 'messages.0.role', /expected one of "system"\|.*received "tool"/],
    [{ messages: [{ role: 'user', content: 3 }] }, 'messages.0.content', /expected text/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages.0.content', /expected text/],
    [{ messages: hello, tools: [{ type: 'function' }] }, 'tools', /not supported/],
    [{ messages: hello, response_format: { type: 'json_schema' } }, 'response_format', /not supported/],
    [{ messages: hello, top_logprobs: 2 }, 'top_logprobs', /together with "logprobs": true/],
    [{ messages: hello, max_tokens: 1, max_completion_tokens: 1 }, 'max_tokens', /received both/],
    [{ messages: hello, chat_template_kwargs: [] }, 'chat_template_kwargs', /expected an object with variables/],
    [
      { messages: hello, chat_template_kwargs: { tools: [] } },
      'chat_template_kwargs.tools',
      /expected variables of the chat template, none of messages, tools/,
    ],
    [{ messages: hello, add_special_tokens: true }, 'add_special_tokens', /not supported/],
    [{ messages: hello, echo: true }, 'echo', /not supported/],
    [{ messages: hello, prompt: 'a' }, 'prompt', /unknown parameter/],
  ])('refuses %j', (body, param, message) => {
    expect(() => parseChatRequest(body)).toThrow(message);
    expect(() => parseChatRequest(body)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ param }) as object }) as Error,
    );
  });
});
