import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import OpenAI from 'openai';
import { type Ended, type Running, startLethe } from './lethe.js';

const data = resolve(__dirname, '..', '..', process.env['LETHE_DATA'] ?? '../shared');

/** The folder of a published model in the data of the tests. */
export const publishedModel = (name: string): string => join(data, 'models', name);

/** `describe`, or a counted skip where a published model is absent. */
export const whenThere = (name: string): typeof describe =>
  existsSync(publishedModel(name)) ? describe : describe.skip;

/** A copy of a published model with a chat template. */
export function withChatTemplate(name: string, folder: string): string {
  const copy = join(folder, `${name}-chat`);
  cpSync(publishedModel(name), copy, { recursive: true });
  const template =
    "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}";
  writeFileSync(join(copy, 'tokenizer_config.json'), JSON.stringify({ chat_template: template, bos_token: '<s>' }));
  return copy;
}

/** A server that answers. */
export interface Served extends Running {
  url: string;
  /** OpenAI's own client, without retries. */
  client: OpenAI;
  /** The log so far. */
  log(): string;
}

/** Starts `lethe serve` on a free port and waits until it answers. @throws Error with its output when it ends. */
export async function serve(model: string, ...options: string[]): Promise<Served> {
  const running = startLethe(data, 'serve', '--model', model, '--port', '0', '--threads', '1', ...options);
  let log = '';
  running.process.stderr!.on('data', (text: string) => (log += text));
  const listening = new Promise<string>((found) =>
    running.process.stdout!.once('data', (text: string) => found(text.trim())),
  );
  const url = await Promise.race([listening, running.ended]);
  if (typeof url !== 'string') throw new Error(`lethe serve ended with ${url.code}\n${url.stderr}`);
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'test', maxRetries: 0, timeout: 300_000 });
  return { ...running, url, client, log: () => log };
}

/** Stops a server as a user would, and waits for its end. */
export function stopServing(served: Served, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  served.process.kill(signal);
  return served.ended;
}

/** Posts a body that the client would not send. */
export async function post(
  served: Served,
  path: string,
  body: string | object,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; error: { message: string; type: string; param: string | null; code: string | null } }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(served.url + path, { method: 'POST', headers, body: text });
  const { error } = (await response.json()) as { error: { message: string; type: string; param: null; code: null } };
  return { status: response.status, error };
}
