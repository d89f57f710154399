import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { ApiError, errorBody } from './api-error.js';
import type { ByteBudget, HeldBytes } from './byte-budget.js';

/** Characters of an answer that are written at once. */
const PIECE_LENGTH = 1 << 16;
/** Bytes of a stream that its client has not read; with more the connection ends. */
const MOST_UNREAD = 16 << 20;

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
  private held: HeldBytes | undefined;
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

  /**
   * Reads a body of JSON. Its bytes count against the budget until the work on the request has ended.
   * @throws ApiError 415, 413, or 429 when the bodies of other requests have used the budget up.
   */
  async readBody(mostBytes: number, budget: ByteBudget): Promise<Buffer> {
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
    const held = budget.hold();
    this.held = held;
    let size = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw tooLarge(`${size} and more`);
      held.grow(size);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** The body is no longer needed. */
  dropBody(): void {
    this.held?.release();
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

  /** Answers 200 with JSON that is made piece by piece, so that other requests get their turn while it is. */
  async sendPieces(pieces: Iterable<string>): Promise<void> {
    const { response } = this;
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    let text = '';
    for (const piece of pieces) {
      text += piece;
      if (text.length < PIECE_LENGTH) continue;
      if (response.destroyed) return;
      if (!response.headersSent) response.writeHead(200, headers);
      const hasRoom = response.write(text);
      text = '';
      if (!hasRoom) await once(response, 'drain', { signal: this.signal });
      // Also then: where the client reads at once, `drain` comes before the event loop has turned.
      await setImmediate();
    }
    if (response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }

  /** Begins a stream of server-sent events. */
  startEvents(): void {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
    this.response.writeHead(200, headers);
    this.response.flushHeaders();
  }

  /** Sends one event. */
  sendEvent(value: unknown): void {
    if (this.response.destroyed) return;
    this.response.write(`data: ${JSON.stringify(value)}\n\n`);
    if (this.response.writableLength > MOST_UNREAD) this.response.destroy();
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
