import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a judge received. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; messages: { role: string; content: string }[]; temperature: number; max_tokens: number };
}

/** What it answers: a judgement, or a status with a body. */
export type Answer = string | { status: number; body: string; headers?: Record<string, string> };

/** A judge on the loopback interface. */
export interface JudgeServer {
  url: string;
  received: Received[];
  /** Most requests that were open at once. */
  mostOpen(): number;
  close(): Promise<void>;
}

/** A chat completion that costs 10 tokens of prompt and 2 of completion. */
const completion = (content: string): string =>
  JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  });

/**
 * Starts a judge.
 * @param answer by request and its number from 0; undefined leaves the request open for good. @param at a port, or any.
 */
export async function startJudge(
  answer: (request: Received, number: number) => Answer | undefined | Promise<Answer | undefined>,
  at = 0,
): Promise<JudgeServer> {
  const received: Received[] = [];
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    mostOpen = Math.max(mostOpen, ++open);
    const chunks: Buffer[] = [];
    response.on('close', () => open--);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Received['body'];
      const one = { path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      void Promise.resolve(answer(one, received.length - 1)).then((said) => {
        if (said === undefined) return;
        const {
          status,
          body: text,
          headers,
        } = typeof said === 'string' ? { status: 200, body: completion(said), headers: {} } : said;
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
      });
    });
  });
  await new Promise<void>((listening) => server.listen(at, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    received,
    mostOpen: () => mostOpen,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}
