import { type Answer, type JudgeServer, startJudge } from '../../testing/judge-server.js';
import { completionsUrl, HttpJudge, JUDGE_KEY_VARIABLE, JudgeError } from './http-judge.js';
import type { JudgeRequest } from './judge.js';
import { judgeSchema, openJudge } from './judge-recipe.js';
import { retryAfterSeconds, retryDelay } from './retry-delay.js';

const request: JudgeRequest = { messages: [{ role: 'user', content: 'Is it?' }], temperature: 0, maxTokens: 64 };
let server: JudgeServer | undefined;
afterEach(() => server?.close());

/** A judge that gives these answers in turn, and what it slept. */
async function judgeOf(
  answers: (Answer | undefined)[],
  options: { key?: string; timeout?: number; attempts?: number } = {},
) {
  server = await startJudge((_, number) => answers[number]);
  const slept: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => {
    slept.push(milliseconds);
    return Promise.resolve();
  };
  return { judge: new HttpJudge({ url: server.url, model: 'm', attempts: 3, sleep, ...options }), slept };
}
const refused = (status: number, message: string, headers = {}): Answer => ({
  status,
  body: JSON.stringify({ error: { message } }),
  headers,
});

it('asks as the protocol says, and returns the text with its cost', async () => {
  const { judge } = await judgeOf(['YES'], { key: 'secret' });
  expect(await judge.ask(request)).toEqual({ text: 'YES', usage: { promptTokens: 10, completionTokens: 2 } });
  const [{ path, headers, body }] = server!.received;
  expect([path, headers.authorization]).toEqual(['/v1/chat/completions', 'Bearer secret']);
  expect(body).toEqual({ model: 'm', messages: request.messages, temperature: 0, max_tokens: 64 });
});

it('sends no authorization without a key', async () => {
  const { judge } = await judgeOf(['YES']);
  await judge.ask(request);
  expect(server!.received[0].headers).not.toHaveProperty('authorization');
});

it('tries 429 and 5xx again, waiting as long as the server asks', async () => {
  const { judge, slept } = await judgeOf([
    refused(429, 'slow down', { 'retry-after': '7' }),
    refused(503, 'busy'),
    'NO',
  ]);
  expect((await judge.ask(request)).text).toBe('NO');
  expect(server!.received).toHaveLength(3);
  expect(slept[0]).toBe(7000);
  expect(slept[1]).toBeGreaterThanOrEqual(1000);
  expect(slept[1]).toBeLessThanOrEqual(2000);
});

it('gives up after its attempts, and says what the server said', async () => {
  const { judge } = await judgeOf([refused(500, 'a'), refused(500, 'b'), refused(500, 'out of memory')]);
  await expect(judge.ask(request)).rejects.toThrow(
    /^judge m at .*\/v1\/chat\/completions: answered 500: out of memory \(3 attempts\)/,
  );
  expect(server!.received).toHaveLength(3);
});

it('tries a reply that does not come again', async () => {
  const { judge, slept } = await judgeOf([undefined, 'YES'], { timeout: 1 });
  expect((await judge.ask(request)).text).toBe('YES');
  expect(slept).toHaveLength(1);
}, 30_000);

it.each<[string, Answer, string | undefined, RegExp]>([
  [
    'no key',
    refused(401, 'who are you?'),
    undefined,
    /answered 401: who are you\?; it wants a key: set LETHE_JUDGE_KEY/,
  ],
  [
    'a wrong key',
    refused(401, 'wrong key: secret'),
    'secret',
    /wrong key: \*\*\*; set LETHE_JUDGE_KEY to a key that may/,
  ],
  [
    'a wrong place',
    { status: 404, body: '<h1>Nothing\nhere</h1>' },
    'secret',
    /404: <h1>Nothing here<\/h1>; give the base/,
  ],
  [
    'an error that is a text',
    { status: 400, body: '{"error":"too long"}' },
    undefined,
    /answered 400: too long; check the model/,
  ],
  ['a redirection', { status: 301, body: '', headers: { location: '/' } }, 'secret', /answered 301: ; give the base/],
  [
    'a refused parameter',
    refused(400, 'max_tokens?'),
    'secret',
    /400: max_tokens\?; check the model and what it accepts/,
  ],
  ['a page', { status: 200, body: '<html>' }, undefined, /expected a chat completion, received <html>; give the base/],
])('%s is not tried again', async (_, answer, key, message) => {
  const { judge } = await judgeOf([answer, 'YES'], { key });
  const error = await judge.ask(request).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(JudgeError);
  expect(error!.message).toMatch(message);
  expect(error!.message).not.toContain('secret');
  expect(server!.received).toHaveLength(1);
});

it('says that nobody listens', async () => {
  const { judge } = await judgeOf([]);
  await server!.close();
  server = undefined;
  await expect(judge.ask(request)).rejects.toThrow(
    /cannot be reached: .*ECONNREFUSED.* \(3 attempts\); start it, or correct --judge-url/,
  );
});

it('a refusal to answer is an empty text, and the cost may be untold', async () => {
  const body = JSON.stringify({ choices: [{ message: { content: null } }] });
  const { judge } = await judgeOf([{ status: 200, body }]);
  expect(await judge.ask(request)).toEqual({ text: '' });
});

it.each([
  ['https://host/v1', 'https://host/v1/chat/completions'],
  ['https://host/v1/', 'https://host/v1/chat/completions'],
  ['https://host/v1/chat/completions', 'https://host/v1/chat/completions'],
  ['https://host/x?version=1', 'https://host/x/chat/completions?version=1'],
])('%s is asked at %s', (base, expected) => expect(completionsUrl(base).href).toBe(expected));

it('keeps what may be secret out of what is recorded', () => {
  expect(new HttpJudge({ url: 'https://host/v1?key=secret', model: 'm' }).url).toBe('https://host/v1/chat/completions');
  expect(() => new HttpJudge({ url: 'https://me:secret@host/v1', model: 'm' })).toThrow(/without user and password/);
  expect(() => new HttpJudge({ url: 'host/v1', model: 'm' })).toThrow(/expected a URL such as .* received host\/v1/);
});

it('waits longer each time, up to a minute, or as asked', () => {
  expect([1, 2, 3, 7, 20].map((attempt) => retryDelay(attempt, undefined, () => 1))).toEqual([1, 2, 4, 60, 60]);
  expect(retryDelay(3, undefined, () => 0)).toBe(2);
  expect(retryDelay(1, 30, () => 0)).toBe(30);
  const now = Date.parse('2024-01-01T00:00:00Z');
  expect(
    [null, '', '5', 'Mon, 01 Jan 2024 00:00:20 GMT', 'Sun, 31 Dec 2023 00:00:00 GMT', 'soon', '1e9'].map((header) =>
      retryAfterSeconds(header, now),
    ),
  ).toEqual([undefined, undefined, 5, 20, 0, undefined, 600]);
});

it('tries eight times unless told otherwise', async () => {
  const busy = Array.from({ length: 7 }, () => refused(429, 'busy', { 'retry-after': '0' }));
  const { judge, slept } = await judgeOf([...busy, 'YES'], { attempts: undefined });
  expect((await judge.ask(request)).text).toBe('YES');
  expect(slept).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

it('waits by itself', async () => {
  server = await startJudge((_, number) => (number === 0 ? refused(429, 'busy', { 'retry-after': '0' }) : 'YES'));
  expect((await new HttpJudge({ url: server.url, model: 'm' }).ask(request)).text).toBe('YES');
});

it('a recipe’s judge has the key of the environment, or none', async () => {
  const { judge: recipe } = { judge: judgeSchema.parse({ url: 'http://127.0.0.1:9', model: 'm' }) };
  server = await startJudge(() => 'YES');
  const before = process.env[JUDGE_KEY_VARIABLE];
  for (const key of ['secret', undefined]) {
    if (key === undefined) delete process.env[JUDGE_KEY_VARIABLE];
    else process.env[JUDGE_KEY_VARIABLE] = key;
    const { judge, rejudge, concurrency } = openJudge({ ...recipe, url: server.url }, undefined);
    expect([rejudge, concurrency, (await judge.ask(request)).text]).toEqual([0, 4, 'YES']);
  }
  if (before !== undefined) process.env[JUDGE_KEY_VARIABLE] = before;
  expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', undefined]);
});
