import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, ContinuousBatch, generate, initializeLlama, type Llama } from '@lethe/model';
import { type Logger, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { Engine } from './engine/engine.js';
import { runEngine } from './engine/engine-loop.js';
import { readRequest, type RequestKind } from './openai/read-request.js';
import { limitsOf, openServer, serve, type Server } from './serve.js';
import { TokenText } from './text/token-text.js';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 4 };
const folder = mkdtempSync(join(tmpdir(), 'lethe-serve-'));
const lines: string[] = [];
const logger: Logger = { ...silentLogger, info: (line) => lines.push(line) };
const listening = { host: '127.0.0.1', port: 0, maxBodyBytes: 1000, name: 'small', logger };

let tokenizer: Tokenizer;
let model: Llama;
let server: Server;

beforeAll(async () => {
  await useDevice('lethe-cpu');
  tokenizer = await trainTokenizer(['a story of a whale and a ship, told at sea. '], { vocabSize: 280, folder });
  const { vocabSize } = tokenizer;
  model = initializeLlama(baselm({ ...SIZES, vocabSize, maxPositions: 64, initializerRange: 0.4, eosTokenIds: [] }), 4);
  server = await startServer(model);
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

function startServer(served: Llama): Promise<Server> {
  const { port1, port2 } = new MessageChannel();
  const ended = runEngine(port2, new ContinuousBatch(served, { maxSequences: 2, keptPrefixes: 2 })).then(
    () => undefined,
  );
  const engine = new Engine(port1, served.config, { maxBatch: 2, maxQueue: 8 });
  const limits = limitsOf(engine);
  const reader = {
    read: (kind: RequestKind, body: Uint8Array) => readRequest(tokenizer, { kind, body }, limits),
    close: async () => {},
  };
  return openServer({ engine, ended }, { tokenizer, reader }, listening);
}

async function post(body: object, { url } = server): Promise<{ status: number; answer: Record<string, any> }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, answer: (await response.json()) as Record<string, any> };
}

/** The same, but for rounding, which on some processors depends on the number of rows side by side. */
const nearly = (value: unknown): unknown => {
  if (typeof value === 'number') return expect.closeTo(value, 5);
  if (Array.isArray(value)) return value.map(nearly);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, nearly(of)]));
};

describe('a server in this process', () => {
  it('answers with what the model generates, and tells of the request in one line', async () => {
    const ids = Array.from(await tokenizer.encode('a whale', { addSpecialTokens: false }));
    const stopIds = [...tokenizer.special.stops];
    const [expected] = generate(model, [ids], { maxNewTokens: 6, stopIds });
    const { status, answer } = await post({ prompt: ids, max_tokens: 6, temperature: 0, logprobs: 0 });
    expect(status).toBe(200);
    expect(answer['model']).toBe('small');
    expect(answer['usage'].prompt_tokens).toBe(ids.length);
    expect(answer['usage'].completion_tokens).toBeGreaterThanOrEqual(expected.length);
    const text = new TokenText(tokenizer, ids);
    let spelled = '';
    for (const id of expected) spelled += await text.push(id);
    expect(answer['choices'][0].text).toBe(spelled + text.end());
    expect(spelled.length).toBeGreaterThan(0);
    expect(answer['choices'][0].logprobs.tokens.length).toBeGreaterThanOrEqual(expected.length);
    expect(lines.at(-1)).toMatch(/^POST \/v1\/completions 200 \d+\+\d+ tokens \d+ ms$/);
  });

  it('answers several requests at once, each as if it were alone', async () => {
    const request = { prompt: ['a ship', 'at sea'], max_tokens: 5, temperature: 1, seed: 3, n: 2 };
    const [first, second] = await Promise.all([post(request), post(request)]);
    expect(first.answer['choices']).toHaveLength(4);
    expect(first.answer['choices']).toEqual(second.answer['choices']);
  });

  it('a prompt that begins as an earlier one did is read from there on, and usage tells how many tokens that saved', async () => {
    const start = Array.from({ length: 30 }, (_, i) => 20 + ((7 * i) % 50));
    const cached: number[] = [];
    const ask = async (prompt: number[], more: object): Promise<object> => {
      const { answer } = await post({ prompt, temperature: 0, max_tokens: 4, ...more });
      cached.push(answer['usage'].prompt_tokens_details.cached_tokens as number);
      return answer['choices'] as object;
    };
    const scored = { echo: true, logprobs: 2 };
    const first = await ask([...start, 3], scored);
    await ask([...start, 4], scored);
    expect(await ask([...start, 3], scored)).toEqual(nearly(first));
    await ask([...start, 5], { n: 2 });
    await ask(start.slice(0, 8), {});
    expect(cached).toEqual([0, 29, 29, 30, 0]);
  });

  it('stop_token_ids end an answer before what they spell, and are listed', async () => {
    const ids = Array.from(await tokenizer.encode('a whale', { addSpecialTokens: false }));
    const [expected] = generate(model, [ids], { maxNewTokens: 6, stopIds: [] });
    const last = expected.findIndex((id, i) => i > 0 && !expected.slice(0, i).includes(id));
    expect(last).toBeGreaterThan(0);
    const text = new TokenText(tokenizer, ids);
    let spelled = '';
    for (const id of expected.slice(0, last)) spelled += await text.push(id);
    const request = { prompt: ids, max_tokens: 6, temperature: 0, logprobs: 0, stop_token_ids: [expected[last]] };
    const { answer } = await post(request);
    expect(answer['choices'][0]).toMatchObject({ text: spelled + text.end(), finish_reason: 'stop' });
    expect(answer['choices'][0].logprobs.tokens).toHaveLength(last + 1);
    const { status, answer: refused } = await post({ prompt: ids, stop_token_ids: [tokenizer.vocabSize] });
    expect([status, refused['error'].param]).toEqual([400, 'stop_token_ids']);
    expect(refused['error'].message).toMatch(/expected ids below \d+, .* received \d+/);
  });

  it('ignore_eos goes on after the model’s own end, and still ends at stop_token_ids', async () => {
    const ids = Array.from(await tokenizer.encode('a whale', { addSpecialTokens: false }));
    const [[first, second]] = generate(model, [ids], { maxNewTokens: 2, stopIds: [] });
    const { vocabSize } = tokenizer;
    const ending = initializeLlama(
      baselm({ ...SIZES, vocabSize, maxPositions: 64, initializerRange: 0.4, eosTokenIds: [first] }),
      4,
    );
    const other = await startServer(ending);
    const ask = async (more: object, to?: Server): Promise<[number, string]> => {
      const { answer } = await post({ prompt: ids, max_tokens: 5, temperature: 0, ...more }, to);
      return [answer['usage'].completion_tokens as number, answer['choices'][0].text as string];
    };
    expect(await ask({}, other)).toEqual([1, '']);
    expect(await ask({ ignore_eos: true }, other)).toEqual(await ask({ ignore_eos: true }));
    expect((await ask({ ignore_eos: true }, other))[0]).toBe(5);
    expect((await ask({ ignore_eos: true, stop_token_ids: [first] }, other))[0]).toBe(1);
    expect(second).not.toBe(first);
    await other.close(1);
    ending.dispose();
  });

  it('a client writes no lines and no control characters into the log, nor long ones', async () => {
    await post({ prompt: 'a', model: 'x\n\u001b[2JPOST /v1/completions 200 1+1 tokens 1 ms' });
    expect(lines.at(-1)).toMatch(/^POST \/v1\/completions 404 \d+ ms: .*x\\n\\u001b\[2JPOST/);
    await post({ prompt: 'a', [`\u001b[31m${'y'.repeat(800)}\n`]: 1 });
    expect(lines.at(-1)).toMatch(/^POST \/v1\/completions 400 \d+ ms: \\u\{1b\}\[31my.*characters left out/);
    for (const line of lines) expect([line.length < 400, line.includes('\n')]).toEqual([true, false]);
  });

  it.each([
    [{ prompt: 'a', max_tokens: 100 }, 400, /context is 64 tokens/],
    [{ prompt: 'a', model: 'large' }, 404, /this server has small/],
    [{ prompt: 'a'.repeat(2000) }, 413, /at most 1000 bytes/],
    [{ prompt: Array.from({ length: 65 }, () => 1) }, 400, /context is 64 tokens, and the request has 65 token ids/],
    [{ prompt: 'a', n: 11 }, 400, /at most 10 choices, as many as this server runs and queues .*n = 11/],
    [{ prompt: Array.from({ length: 11 }, () => 'a') }, 400, /at most 10 choices/],
  ])('refuses what it cannot answer', async (body, expected, message) => {
    const { status, answer } = await post(body);
    expect(status).toBe(expected);
    expect(answer['error'].message).toMatch(message);
  });

  it('refuses lists in lists without end, and text that no context holds before it is tokenized', async () => {
    const limits = { vocabSize: 280, maxPositions: 64, maxChoices: 10 };
    const read = (text: string): Promise<unknown> =>
      readRequest(tokenizer, { kind: 'completion', body: Buffer.from(text) }, limits);
    const nested = `{"prompt": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    await expect(read(nested)).rejects.toMatchObject({ status: 400, message: /at most 100 deep, received 100001/ });
    await expect(read('{"prompt": "[[[\\"[[["}')).resolves.toMatchObject({ kind: 'completion' });
    const encode = jest.spyOn(tokenizer, 'encode');
    const length = 64 * tokenizer.longestToken + 1;
    const message = new RegExp(
      `a text of ${length} characters, where a token spells ${tokenizer.longestToken} at most`,
    );
    await expect(read(JSON.stringify({ prompt: 'a'.repeat(length) }))).rejects.toMatchObject({ status: 400, message });
    expect(encode).not.toHaveBeenCalled();
    encode.mockRestore();
  });

  it('takes no more choices than may run and wait, also of requests that come at once', async () => {
    const ask = { prompt: 'a whale', n: 7, max_tokens: 8, echo: true };
    const all = await Promise.all([post(ask), post(ask), post(ask)]);
    expect(all.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
    expect(all.find(({ status }) => status === 429)!.answer['error'].message).toMatch(
      /room for 3 more where .* needs 7/,
    );
    expect((await post(ask)).status).toBe(200);
  });

  it.each([{ echo: true, logprobs: 1, max_tokens: 0 }, { max_tokens: 3 }])(
    'numbers that are not finite are an error that names the tensor, for %j',
    async (how) => {
      const config = { ...SIZES, vocabSize: tokenizer.vocabSize, maxPositions: 64, eosTokenIds: [] };
      const damaged = initializeLlama(baselm(config), 4);
      const { name, value } = damaged.parameters.find((one) => one.name.includes('layers.1.mlp.down_proj'))!;
      value.assign(tf.fill(value.shape, NaN));
      const failing = await startServer(damaged);
      const { status, answer } = await post({ prompt: 'a ship', ...how }, failing);
      expect(status).toBe(500);
      expect(answer['error'].message).toContain(`tensor '${name}' holds NaN`);
      await failing.close(1);
      damaged.dispose();
    },
  );

  it('tells of its health, closes, and its engine with it', async () => {
    const health = await fetch(`${server.url}/health`);
    expect(await health.json()).toEqual({ status: 'ok', model: 'small', running: 0, waiting: 0 });
    await server.close(1);
    expect(await server.ended).toBeUndefined();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });
});

describe('serve', () => {
  it('refuses an address that others reach before it loads anything', async () => {
    const settings = { device: 'lethe-cpu', precision: 'fp32', model: join(folder, 'none'), maxBatch: 1 } as const;
    const options = { ...listening, ...settings, host: '0.0.0.0', maxQueue: 1, allowsNoKey: false };
    await expect(serve(options)).rejects.toThrow(/can be reached from other machines/);
  });
});
