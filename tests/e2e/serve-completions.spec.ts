import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { generate, type Llama, loadLlama, scoreSequences } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import type OpenAI from 'openai';
import { publishedModel, serve, type Served, stopServing, whenThere } from './serving.js';

const NAME = 'stories260K';
const PROMPTS = [
  'Once upon a time',
  'Lily and Tom went to the park.',
  'The big dog',
  'One day, a little girl named Sue',
];

/** Chunks of a stream. */
async function chunks<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of stream) all.push(chunk);
  return all;
}

whenThere(NAME)('/v1/completions', () => {
  const folder = publishedModel(NAME);
  let served: Served;
  let model: Llama;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    served = await serve(folder);
    await useDevice('lethe-cpu');
    ({ model } = loadLlama(folder, { trainable: false }));
    tokenizer = await loadTokenizer(folder);
  }, 180_000);
  afterAll(async () => {
    if (served) await stopServing(served);
    model?.dispose();
  });

  type Options = Partial<OpenAI.CompletionCreateParamsNonStreaming> & {
    prompt: OpenAI.CompletionCreateParams['prompt'];
  };
  const complete = (options: Options): Promise<OpenAI.Completion> =>
    served.client.completions.create({ model: NAME, temperature: 0, max_tokens: 24, ...options });

  it('greedy text is the reference, character for character', async () => {
    const { choices, usage } = await complete({ prompt: 'Once upon a time', max_tokens: 256 });
    const reference = readFileSync(join(folder, 'reference-greedy.txt'), 'utf8').trimEnd();
    expect(`Once upon a time${choices[0].text}`.slice(0, reference.length)).toBe(reference);
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 256, total_tokens: 261 });
    expect(choices[0].finish_reason).toBe('length');
  });

  it('token ids, lists of them, texts, and n give the same choices in order', async () => {
    const ids = await Promise.all(PROMPTS.map(async (prompt) => [...(await tokenizer.encode(prompt))]));
    const single = await complete({ prompt: ids[1] });
    const byIds = await complete({ prompt: ids });
    const byText = await complete({ prompt: PROMPTS, n: 2 });
    expect(byIds.choices[1].text).toBe(single.choices[0].text);
    expect(byText.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(byText.choices.map(({ text }) => text)).toEqual(byIds.choices.flatMap(({ text }) => [text, text]));
    const made = generate(model, [ids[2]], { maxNewTokens: 24 });
    const whole = await tokenizer.decode([...ids[2], ...made[0]], { skipSpecialTokens: true });
    expect(PROMPTS[2] + byIds.choices[2].text).toBe(whole);
  });

  it.each([0, 1])('echo and logprobs with max_tokens %d are what lethe score says, to 1e-4', async (maxTokens) => {
    const ids = await Promise.all(PROMPTS.map(async (prompt) => [...(await tokenizer.encode(prompt))]));
    const { choices, usage } = await complete({ prompt: ids, echo: true, logprobs: 1, max_tokens: maxTokens });
    const expected = scoreSequences(model, ids);
    choices.forEach(({ text, logprobs }, p) => {
      const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs!;
      const length = ids[p].length + maxTokens;
      for (const list of [tokens, token_logprobs, top_logprobs, text_offset]) expect(list).toHaveLength(length);
      expect([token_logprobs![0], top_logprobs![0], tokens![0]]).toEqual([null, null, '<s>']);
      expected[p]
        .slice(1)
        .forEach((logprob, t) => expect(Math.abs(token_logprobs![t + 1] - logprob!)).toBeLessThan(1e-4));
      token_logprobs!.slice(1).forEach((logprob, t) => {
        expect(Math.max(...Object.values(top_logprobs![t + 1]))).toBeGreaterThanOrEqual(logprob);
        expect(top_logprobs![t + 1][tokens![t + 1]]).toBe(logprob);
        expect(text.startsWith(tokens![t + 1], text_offset![t + 1])).toBe(true);
      });
      expect(text.startsWith(PROMPTS[p])).toBe(true);
    });
    expect(usage!.completion_tokens).toBe(maxTokens * PROMPTS.length);
  });

  it('streams the text that it would answer, and the usage when asked', async () => {
    const options = { model: NAME, prompt: PROMPTS, max_tokens: 24, temperature: 0.8, seed: 5, logprobs: 2 };
    const whole = await complete(options);
    const all = await chunks(
      await served.client.completions.create({ ...options, stream: true, stream_options: { include_usage: true } }),
    );
    expect(all.length).toBeGreaterThan(40);
    expect(all.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    for (const expected of whole.choices) {
      const mine = all.flatMap(({ choices }) => choices).filter(({ index }) => index === expected.index);
      expect(mine.map(({ text }) => text).join('')).toBe(expected.text);
      const listed = mine.flatMap(({ logprobs }) => logprobs!.token_logprobs!);
      // On some processors rounding depends on the rows side by side, and so on when each choice began.
      expect(listed).toEqual(expected.logprobs!.token_logprobs!.map((logprob) => expect.closeTo(logprob, 4)));
      expect(mine.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== null)).toEqual(['length']);
    }
  });

  it('a stop sequence ends the text before it, also across tokens and while streaming', async () => {
    const { choices } = await complete({ prompt: PROMPTS[0], max_tokens: 60 });
    const [text] = choices.map((choice) => choice.text);
    const stop = text.slice(20, 31); // begins and ends inside tokens
    const expected = text.slice(0, text.indexOf(stop));
    const stopped = await complete({ prompt: PROMPTS[0], max_tokens: 60, stop: ['never there', stop], logprobs: 0 });
    expect(stopped.choices[0]).toMatchObject({ text: expected, finish_reason: 'stop' });
    expect(stopped.choices[0].logprobs!.tokens!.join('').startsWith(expected)).toBe(true);
    expect(stopped.usage!.completion_tokens).toBeLessThan(60);
    const options = { model: NAME, prompt: PROMPTS[0], max_tokens: 60, temperature: 0, stop };
    const all = await chunks(await served.client.completions.create({ ...options, stream: true }));
    expect(all.flatMap(({ choices: [choice] }) => choice.text).join('')).toBe(expected);
  });

  it('a seed gives the same tokens again, alone or among others; without one they differ', async () => {
    const sampled = (seed?: number): Promise<OpenAI.Completion> =>
      complete({ prompt: PROMPTS[2], temperature: 1, top_p: 0.95, n: 2, ...(seed === undefined ? {} : { seed }) });
    const textsOf = ({ choices }: OpenAI.Completion): string[] => choices.map(({ text }) => text);
    const alone = textsOf(await sampled(7));
    const [among] = await Promise.all([sampled(7), ...PROMPTS.map((prompt) => complete({ prompt, max_tokens: 40 }))]);
    expect(textsOf(among)).toEqual(alone);
    expect(alone[0]).not.toBe(alone[1]);
    const [one, other, negative] = await Promise.all([sampled(), sampled(), sampled(-3)]);
    expect(new Set([...textsOf(one), ...textsOf(other), ...textsOf(negative)]).size).toBe(6);
  });

  it('eight requests at once are answered as one by one', async () => {
    const prompts = [...PROMPTS, ...PROMPTS.map((prompt) => `${prompt} The end. ${prompt}`)];
    const requests = prompts.map((prompt, i) => ({ prompt, max_tokens: 20 + 15 * i }));
    const sequential: string[] = [];
    for (const request of requests) sequential.push((await complete(request)).choices[0].text);
    const together = await Promise.all(requests.map(complete));
    expect(together.map(({ choices }) => choices[0].text)).toEqual(sequential);
  });

  it('a client that leaves frees its place, and health is answered meanwhile', async () => {
    const leave = new AbortController();
    const options = { model: NAME, prompt: PROMPTS, n: 4, max_tokens: 480, temperature: 1 };
    const stream = await served.client.completions.create({ ...options, stream: true }, { signal: leave.signal });
    const load = async (): Promise<{ running: number; waiting: number }> =>
      (await (await fetch(`${served.url}/health`)).json()) as { running: number; waiting: number };
    const read = chunks(stream).catch(() => undefined);
    expect(await load()).toMatchObject({ status: 'ok', running: 8, waiting: 8 });
    leave.abort();
    await read;
    while ((await load()).running > 0) await new Promise((done) => setTimeout(done, 20));
    expect((await complete({ prompt: 'a', max_tokens: 2 })).choices).toHaveLength(1);
    expect(served.log()).toContain('(the client closed the connection)');
  });
});
