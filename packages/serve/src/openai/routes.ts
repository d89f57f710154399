import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Logger, plainLine } from '@lethe/run';
import { type Access, authorize } from '../http/access.js';
import { ApiError } from '../http/api-error.js';
import { ByteBudget } from '../http/byte-budget.js';
import { ClientGoneError, Exchange } from '../http/exchange.js';
import type { Answerer } from '../http/http-server.js';
import type { ReadRequest, RequestKind } from './read-request.js';
import { answerChat } from './chat-completions.js';
import { answerCompletion } from './completions.js';
import { checkModel, modelCard, type ServedModel } from './served-model.js';

/** What the routes need. */
export interface RouteOptions {
  access: Access;
  maxBodyBytes: number;
  logger: Logger;
  clock: Clock;
}

const POSTS: Record<string, RequestKind> = { '/v1/completions': 'completion', '/v1/chat/completions': 'chat' };
/** Bodies of the largest size that are held at once. */
const LARGEST_BODIES = 8;
const GETS = ['/v1/models', '/health'];

/** Answers requests, one line of the log each. Requests that are being answered can be counted and ended. */
export class Routes implements Answerer {
  private readonly active = new Set<Exchange>();
  private readonly budget: ByteBudget;
  /** Set when the server is to stop: new requests are refused. */
  isClosing = false;

  constructor(
    private readonly served: ServedModel,
    private readonly options: RouteOptions,
  ) {
    this.budget = new ByteBudget(LARGEST_BODIES * options.maxBodyBytes);
  }

  /** Requests that are being answered. */
  get numActive(): number {
    return this.active.size;
  }

  /** Ends every request that is being answered. */
  abortAll(): void {
    for (const exchange of this.active) exchange.abort(new ApiError(503, 'the server stops'));
  }

  /** Answers one request. Never throws. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = this.options.clock.elapsed();
    const exchange = new Exchange(request, response);
    const path = (request.url ?? '/').replace(/[?#].*$/, '');
    let problem = '';
    this.active.add(exchange);
    try {
      await this.route(request, exchange, path);
    } catch (error) {
      problem = this.refuse(error, exchange);
    } finally {
      this.active.delete(exchange);
      exchange.dropBody();
    }
    const { usage } = exchange;
    const tokens = usage ? ` ${usage.prompt_tokens}+${usage.completion_tokens} tokens` : '';
    const status = response.headersSent ? response.statusCode : 499;
    const milliseconds = Math.round(this.options.clock.elapsed() - started);
    // The path is the client's: only what may stand in a path, and not too much of it. So is what an error quotes.
    const shown = path.replace(/[^\w/.~%-]/g, '?').slice(0, 100);
    this.options.logger.info(`${request.method} ${shown} ${status}${tokens} ${milliseconds} ms${plainLine(problem)}`);
  }

  private async route(request: IncomingMessage, exchange: Exchange, path: string): Promise<void> {
    const { served, options } = this;
    const modelName = path.startsWith('/v1/models/') ? decodeName(path.slice('/v1/models/'.length)) : undefined;
    const isGet = modelName !== undefined || GETS.includes(path);
    if (!isGet && !Object.hasOwn(POSTS, path)) {
      const known = [...Object.keys(POSTS), ...GETS].join(', ');
      throw new ApiError(404, `no such address: ${path.slice(0, 100)}; this server has ${known}`, {
        code: 'not_found',
      });
    }
    const methods = isGet ? ['GET', 'HEAD'] : ['POST'];
    if (!methods.includes(request.method!)) {
      throw new ApiError(405, `${path}: expected ${methods[0]}, received ${request.method}`, {
        headers: { allow: methods.join(', ') },
      });
    }
    if (path === '/health') return this.answerHealth(exchange);
    authorize(options.access, request.headers);
    if (path === '/v1/models') return exchange.sendJson(200, { object: 'list', data: [modelCard(served)] });
    if (modelName !== undefined) {
      checkModel(served, modelName);
      return exchange.sendJson(200, modelCard(served));
    }
    if (this.isClosing) throw new ApiError(503, 'the server stops', { headers: { connection: 'close' } });
    served.engine.requireRoom(1);
    const read = await this.read(POSTS[path], exchange);
    if (read.kind === 'chat') await answerChat(served, exchange, read);
    else await answerCompletion(served, exchange, read);
  }

  private async read(kind: RequestKind, exchange: Exchange): Promise<ReadRequest> {
    const body = await exchange.readBody(this.options.maxBodyBytes, this.budget);
    const read = await this.served.reader.read(kind, body);
    exchange.dropBody();
    exchange.signal.throwIfAborted();
    return read;
  }

  private answerHealth(exchange: Exchange): void {
    const status = this.isClosing ? 'stopping' : 'ok';
    exchange.sendJson(this.isClosing ? 503 : 200, { status, model: this.served.name, ...this.served.engine.load });
  }

  /** Answers with what went wrong. Returns what the log is to say of it. */
  private refuse(error: unknown, exchange: Exchange): string {
    if (error instanceof ClientGoneError) return ` (${error.message})`;
    if (error instanceof ApiError) {
      exchange.sendError(error);
      return `: ${error.message}`;
    }
    const { message, stack } = error as Error;
    this.options.logger.debug(stack ?? message);
    exchange.sendError(new ApiError(500, message));
    return `: ${message}`;
  }
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // malformed escapes name no model
  }
}
