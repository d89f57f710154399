import OpenAI from 'openai';
import { failure, temporaryFolder } from './lethe.js';
import { post, publishedModel, serve, type Served, stopServing, whenThere, withChatTemplate } from './serving.js';

const NAME = 'stories260K';
const TEXT = '/v1/completions';
const CHAT = '/v1/chat/completions';

whenThere(NAME)('lethe serve', () => {
  const folder = temporaryFolder();
  let served: Served;
  beforeAll(async () => {
    served = await serve(withChatTemplate(NAME, folder), '--name', 'teller', '--max-body', '0.01');
  }, 180_000);
  afterAll(async () => {
    if (served) await stopServing(served);
  });

  const chat = (options: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}): Promise<OpenAI.ChatCompletion> =>
    served.client.chat.completions.create({
      model: 'teller',
      messages: [{ role: 'user', content: 'Once upon a time' }],
      temperature: 0,
      max_completion_tokens: 20,
      ...options,
    });

  it('chat goes through the model’s template, and lists log-probabilities', async () => {
    const { choices, usage } = await chat({ logprobs: true, top_logprobs: 2 });
    const text = await served.client.completions.create({
      model: 'teller',
      prompt: 'Once upon a time',
      temperature: 0,
      max_tokens: 20,
    });
    expect(choices[0].message).toMatchObject({ role: 'assistant', content: text.choices[0].text });
    expect(usage).toEqual(text.usage);
    const listed = choices[0].logprobs!.content!;
    expect(listed.map(({ token }) => token).join('')).toBe(choices[0].message.content);
    expect(listed.map(({ bytes }) => Buffer.from(bytes!).toString()).join('')).toBe(choices[0].message.content);
    for (const { token, logprob, top_logprobs } of listed) {
      expect(top_logprobs).toHaveLength(2);
      expect(top_logprobs[0]).toMatchObject({ token, logprob });
    }
  });

  it('chat streams what it would answer', async () => {
    const { choices } = await chat({ stop: [' girl'] });
    const stream = await served.client.chat.completions.create({
      model: 'teller',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Once upon a time' }] }],
      temperature: 0,
      max_tokens: 20,
      stop: ' girl',
      stream: true,
    });
    let role = '';
    let content = '';
    let reason: string | null = null;
    for await (const chunk of stream) {
      const [{ delta, finish_reason }] = chunk.choices;
      role += delta.role ?? '';
      content += delta.content ?? '';
      reason ??= finish_reason;
    }
    expect({ role, content, reason }).toEqual({
      role: 'assistant',
      content: choices[0].message.content,
      reason: 'stop',
    });
    expect(content.length).toBeGreaterThan(10);
  });

  it('a chat without a limit goes on to the context', async () => {
    const { usage, choices } = await chat({ max_completion_tokens: null });
    if (choices[0].finish_reason === 'length') expect(usage!.total_tokens).toBe(512);
    else expect(usage!.total_tokens).toBeLessThanOrEqual(512);
  });

  it('models are listed', async () => {
    const { data } = await served.client.models.list();
    expect(data).toEqual([expect.objectContaining({ id: 'teller', object: 'model' })]);
    expect(await served.client.models.retrieve('teller')).toMatchObject({ id: 'teller', max_model_len: 512 });
    await expect(served.client.models.retrieve('gpt')).rejects.toThrow(OpenAI.NotFoundError);
  });

  it.each([
    [
      TEXT,
      { prompt: 'a', max_tokens: 600 },
      'prompt',
      /context is 512 tokens, and the request needs 602 \(2 of the prompt, 600 to/,
    ],
    [TEXT, { prompt: [1, 512] }, 'prompt', /expected token ids in \[0, 512\), received 512/],
    [TEXT, { prompt: [] }, 'prompt', /expected a string/],
    [TEXT, { prompt: 'a', temperature: 'hot' }, 'temperature', /expected number, received "hot"/],
    [TEXT, { prompt: 'a', suffix: 'b' }, 'suffix', /not supported/],
    [CHAT, { messages: [{ role: 'user', content: 'a' }], tools: [{}] }, 'tools', /not supported/],
    [CHAT, { messages: [{ role: 'user', content: 'word '.repeat(600) }] }, 'messages', /context is 512 tokens/],
    [TEXT, '{"prompt": ', null, /expected JSON/],
    [TEXT, '[1]', null, /expected a JSON object/],
  ])('%s answers %j with 400', async (path, body, param, message) => {
    const { status, error } = await post(served, path, body);
    expect([status, error.type, error.param]).toEqual([400, 'invalid_request_error', param]);
    expect(error.message).toMatch(message);
  });

  it('other refusals have their own codes', async () => {
    expect((await post(served, TEXT, { prompt: 'a', model: 'gpt-4' })).error.code).toBe('model_not_found');
    expect(await post(served, '/v1/nothing', {})).toMatchObject({ status: 404, error: { code: 'not_found' } });
    expect(await post(served, '/v1/models', {})).toMatchObject({ status: 405 });
    expect(await post(served, TEXT, 'a', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    const large = await post(served, TEXT, { prompt: 'a'.repeat(11_000) });
    expect(large).toMatchObject({ status: 413, error: { code: 'body_too_large' } });
    expect(large.error.message).toContain('at most 10485 bytes');
    expect((await fetch(`${served.url}/health`)).status).toBe(200);
  });

  it('a model without a chat template says what to do', async () => {
    const plain = await serve(publishedModel(NAME));
    const { status, error } = await post(plain, CHAT, { messages: [{ role: 'user', content: 'a' }] });
    expect([status, error.code]).toEqual([400, 'no_chat_template']);
    expect(error.message).toMatch(/use \/v1\/completions, or add a chat_template to tokenizer_config\.json/);
    // Large bodies are read in a thread of their own.
    const scored = {
      prompt: Array.from({ length: 200 }, () => 'a'.repeat(200)),
      max_tokens: 0,
      echo: true,
      logprobs: 1,
    };
    const answer = await plain.client.completions.create({ model: NAME, ...scored });
    expect(answer.choices).toHaveLength(200);
    expect(answer.choices[199].text).toBe('a'.repeat(200));
    expect(answer.choices[199].logprobs!.tokens!.join('')).toBe(`<s>${'a'.repeat(200)}`);
    const long = await post(plain, TEXT, { prompt: 'a'.repeat(1_000_000) });
    expect([long.status, long.error.code]).toEqual([400, 'context_length_exceeded']);
    expect((await post(plain, TEXT, `${'['.repeat(100_000)}`)).error.message).toContain('at most 100 deep');
    expect((await stopServing(plain, 'SIGINT')).code).toBe(130);
  }, 120_000);

  it('asks for the key it was given, and answers 429 when the queue is full', async () => {
    const locked = await serve(publishedModel(NAME), '--api-key', 'test', '--max-batch', '1', '--max-queue', '1');
    const wrong = new OpenAI({ baseURL: `${locked.url}/v1`, apiKey: 'guess', maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    expect((await post(locked, TEXT, { prompt: 'a' })).error.code).toBe('invalid_api_key');
    expect((await fetch(`${locked.url}/health`)).status).toBe(200);
    const request = { model: NAME, prompt: 'Once', max_tokens: 400, temperature: 1, seed: 1 };
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => locked.client.completions.create(request)),
    );
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(6);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(OpenAI.RateLimitError);
    expect((await stopServing(locked)).code).toBe(143);
  }, 120_000);

  it('told to stop, it finishes what runs, refuses what comes, and ends with the signal’s code', async () => {
    const stopping = await serve(publishedModel(NAME));
    const options = { model: NAME, prompt: 'Once', max_tokens: 300, temperature: 0 };
    const running = stopping.client.completions.create(options);
    while (!/"running":1/.test(await (await fetch(`${stopping.url}/health`)).text())) continue;
    const ended = stopServing(stopping);
    let health = await fetch(`${stopping.url}/health`);
    while (health.status === 200) health = await fetch(`${stopping.url}/health`);
    expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([503, 'stopping']);
    expect((await running).usage!.completion_tokens).toBe(300);
    expect((await ended).code).toBe(143);
    await expect(fetch(`${stopping.url}/health`)).rejects.toThrow();
  }, 120_000);

  it('past the deadline it ends what runs', async () => {
    const stopping = await serve(publishedModel(NAME), '--grace', '0');
    const running = stopping.client.completions.create({ model: NAME, prompt: ['a', 'b'], n: 64, max_tokens: 480 });
    while (!/"running":8/.test(await (await fetch(`${stopping.url}/health`)).text())) continue;
    const refused = expect(running).rejects.toThrow(/the server stops/);
    expect((await stopServing(stopping)).code).toBe(143);
    await refused;
  }, 120_000);

  it('refuses to start where it cannot or should not', async () => {
    const model = ['serve', '--model', publishedModel(NAME)];
    expect(await failure(folder, ...model, '--host', '0.0.0.0', '--port', '0')).toContain('set LETHE_API_KEY');
    const port = new URL(served.url).port;
    expect(await failure(folder, ...model, '--port', port)).toContain('another program listens there');
    expect(await failure(folder, 'serve', '--model', 'nowhere')).toContain('nowhere');
  }, 120_000);
});

whenThere('TinyStories-656K')('lethe serve and what it keeps', () => {
  const A = 'Once upon a time there was a little girl who lived in a small house near the big dark wood.';
  const B = 'Tom had a red ball, and he played with it in the park every day after he had eaten his lunch.';

  it.each([
    ['0', [0, 0, 0, 0]],
    ['1', [0, 1, 0, 0]],
  ])(
    '--kept-prompts %s keeps as many, and the tokenizer’s warning is told',
    async (kept, expected) => {
      const served = await serve(publishedModel('TinyStories-656K'), '--name', 'teller', '--kept-prompts', kept);
      try {
        const found: number[] = [];
        for (const prompt of [A, A, B, A]) {
          const { usage } = await served.client.completions.create({ model: 'teller', prompt, max_tokens: 2 });
          const { prompt_tokens: read, prompt_tokens_details: details } = usage!;
          const cached = details!.cached_tokens!;
          if (cached > 0) expect(cached).toBe(read - 1); // the last token is read again, for its logits
          found.push(Math.sign(cached));
        }
        expect(found).toEqual(expected);
        expect(served.log()).toMatch(/warn: .*TinyStories-656K: tokenizer_class LlamaTokenizer: transformers builds/);
      } finally {
        await stopServing(served);
      }
    },
    180_000,
  );
});
