import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import type { Judge, JudgeReply, JudgeRequest } from './judge.js';
import { retryAfterSeconds, retryDelay } from './retry-delay.js';

/** A judge that cannot be had: unreachable, refusing, or not speaking OpenAI's protocol. */
export class JudgeError extends UserError {}

/** The environment variable that a judge's key is read from: the only place it may come from. */
export const JUDGE_KEY_VARIABLE = 'LETHE_JUDGE_KEY';

/** How an endpoint is asked. */
export interface HttpJudgeOptions {
  /** Base of an OpenAI-compatible interface, such as `https://api.openai.com/v1`. */
  url: string;
  model: string;
  /** Sent as a bearer token, and never written anywhere. */
  key?: string;
  /** Requests before giving up, 8 unless given: about two minutes of waiting. */
  attempts?: number;
  /** Seconds for one request, 180 unless given. */
  timeout?: number;
  /** Waits so many milliseconds; tests pass their own. */
  sleep?: (milliseconds: number) => Promise<unknown>;
}

const completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
});
const refusal = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** A failed attempt. */
interface Failure {
  problem: string;
  remedy: string;
  isPassing: boolean;
  /** Seconds that the server asks to wait. */
  asked?: number;
}

const isPassingStatus = (status: number): boolean =>
  status === 408 || status === 409 || status === 429 || status >= 500;

function remedyFor(status: number, hasKey: boolean): string {
  if (status === 401 || status === 403)
    return hasKey
      ? `set ${JUDGE_KEY_VARIABLE} to a key that may use this judge`
      : `it wants a key: set ${JUDGE_KEY_VARIABLE}`;
  if (status === 404 || (status >= 300 && status < 400))
    return 'give the base of the interface, such as https://host/v1, and a model that it serves';
  return isPassingStatus(status) ? 'try again later' : 'check the model and what it accepts';
}

/** The endpoint of chat completions below a base, which may be given in full. */
export function completionsUrl(base: string): URL {
  const url = new URL(base);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/chat/completions') ? path : `${path}/chat/completions`;
  return url;
}

function messageOf(body: string): string {
  try {
    const { error } = refusal.parse(JSON.parse(body));
    return typeof error === 'string' ? error : error.message;
  } catch {
    return body.replaceAll(/\s+/g, ' ').slice(0, 200); // not an error of the protocol: its beginning says what it is
  }
}

/** The reason of a failed fetch, which hides it in its cause. */
function reasonOf(error: unknown, timeout: number): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `no reply within ${timeout} seconds`;
  const inner = cause as { message?: string; code?: string } | undefined;
  const more = inner?.message || inner?.code;
  return more ? `${message}: ${more}` : message;
}

/** A judge behind an OpenAI-compatible endpoint. 408, 409, 429, 5xx, and connections that break are tried again. */
export class HttpJudge implements Judge {
  readonly url: string;
  readonly model: string;
  private readonly endpoint: URL;

  /** @throws JudgeError for a URL that is none, or that holds a user and password. */
  constructor(private readonly options: HttpJudgeOptions) {
    if (!URL.canParse(options.url) || !/^https?:\/\//i.test(options.url))
      throw new JudgeError(`--judge-url: expected a URL such as https://api.openai.com/v1, received ${options.url}`);
    this.endpoint = completionsUrl(options.url);
    if (this.endpoint.username !== '' || this.endpoint.password !== '')
      throw new JudgeError(`--judge-url: expected a URL without user and password; set ${JUDGE_KEY_VARIABLE} instead`);
    this.url = `${this.endpoint.origin}${this.endpoint.pathname}`;
    this.model = options.model;
  }

  async ask(request: JudgeRequest): Promise<JudgeReply> {
    const { attempts = 8, sleep = wait } = this.options;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(request);
      if ('text' in outcome) return outcome;
      const { problem, remedy, isPassing, asked } = outcome;
      if (!isPassing || attempt >= attempts) {
        const tried = attempt > 1 ? ` (${attempt} attempts)` : '';
        throw new JudgeError(this.withoutKey(`judge ${this.model} at ${this.url}: ${problem}${tried}; ${remedy}`));
      }
      await sleep(1000 * retryDelay(attempt, asked, Math.random));
    }
  }

  private async attempt({ messages, temperature, maxTokens }: JudgeRequest): Promise<JudgeReply | Failure> {
    const { key, model, timeout = 180 } = this.options;
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
    const body = JSON.stringify({ model, messages, temperature, max_tokens: maxTokens });
    let status: number;
    let asked: number | undefined;
    let text: string;
    try {
      const signal = AbortSignal.timeout(1000 * timeout);
      const response = await fetch(this.endpoint, { method: 'POST', headers, body, signal, redirect: 'manual' });
      status = response.status;
      asked = retryAfterSeconds(response.headers.get('retry-after'), Date.now());
      text = await response.text();
    } catch (cause) {
      const problem = `cannot be reached: ${reasonOf(cause, timeout)}`;
      return { problem, remedy: 'start it, or correct --judge-url', isPassing: true };
    }
    if (status === 200) return this.read(text);
    const isPassing = isPassingStatus(status);
    const problem = `answered ${status}: ${messageOf(text)}`;
    return { problem, remedy: remedyFor(status, Boolean(key)), isPassing, asked };
  }

  private read(body: string): JudgeReply | Failure {
    let parsed: z.output<typeof completion>;
    try {
      parsed = completion.parse(JSON.parse(body));
    } catch {
      const problem = `expected a chat completion, received ${body.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
      return { problem, remedy: remedyFor(404, true), isPassing: false };
    }
    const { choices, usage } = parsed;
    return {
      text: choices[0].message.content ?? '',
      ...(usage && { usage: { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } }),
    };
  }

  /** Servers may quote the key that they refuse. */
  private withoutKey(message: string): string {
    const { key } = this.options;
    return key ? message.replaceAll(key, '***') : message;
  }
}
