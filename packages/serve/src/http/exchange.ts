import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, badRequest, errorBody } from './api-error.js';

/** Tokens of a request, for its answer and its line in the log. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Prompt tokens that were not computed, because an earlier prompt began alike. */
  prompt_tokens_details: { cached_tokens: number };
}

/** One request and its answer: a JSON body in, a JSON body or a stream of events out. */
export class Exchange {
  /** Told when the answer is known, for the log. */
  usage: Usage | undefined;
  private readonly gone = new AbortController();

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    response.on('close', () => {
      if (!response.writableFinished) this.gone.abort(new ClientGoneError());
    });
  }

  /** Aborts when the client goes away, or the server stops waiting. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** Ends the work on this request. */
  abort(reason: Error): void {
    this.gone.abort(reason);
  }

  /** Reads the body. @throws ApiError 415, 413 or 400. */
  async readJson(mostBytes: number): Promise<unknown> {
    const { headers } = this.request;
    // Other types could be posted by any web page without the browser asking first.
    if (!/^application\/([\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '')) {
      const received = headers['content-type'] ?? 'none';
      throw new ApiError(415, `expected the header "content-type: application/json", received ${received}`);
    }
    const tooLarge = (size: string): ApiError =>
      new ApiError(413, `expected a body of at most ${mostBytes} bytes, received ${size}; send smaller requests`, {
        code: 'body_too_large',
        headers: { connection: 'close' },
      });
    if (Number(headers['content-length'] ?? 0) > mostBytes) throw tooLarge(headers['content-length']!);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw tooLarge(`${size} and more`);
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch (cause) {
      throw badRequest(`the body: expected JSON: ${(cause as Error).message}`);
    }
  }

  /** Answers with JSON. */
  sendJson(status: number, body: unknown, headers: Record<string, string> = {}): void {
    if (this.response.destroyed) return;
    const text = JSON.stringify(body);
    this.response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...headers,
    });
    this.response.end(text);
  }

  /** Begins a stream of server-sent events. */
  startEvents(): void {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
    this.response.writeHead(200, headers);
    this.response.flushHeaders();
  }

  /** Sends one event. */
  sendEvent(value: unknown): void {
    if (!this.response.destroyed) this.response.write(`data: ${JSON.stringify(value)}\n\n`);
  }

  /** Ends a stream as OpenAI's clients expect. */
  endEvents(): void {
    if (!this.response.destroyed) this.response.end('data: [DONE]\n\n');
  }

  /** Answers with an error: as the body, or as the last event of a stream that has begun. */
  sendError(error: ApiError): void {
    const body = errorBody(error);
    if (!this.response.headersSent) {
      this.sendJson(error.status, body, error.details.headers);
      return;
    }
    this.sendEvent(body);
    this.response.end();
  }
}

/** The client closed the connection before its answer was complete. */
export class ClientGoneError extends Error {
  constructor() {
    super('the client closed the connection');
    this.name = 'ClientGoneError';
  }
}
