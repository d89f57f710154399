import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { type Logger, systemClock } from '@lethe/run';
import type { Engine } from './engine/engine.js';
import type { EngineSettings } from './engine/engine-messages.js';
import { type StartedEngine, startEngine } from './engine/start-engine.js';
import { type Access, checkAccess } from './http/access.js';
import { listen } from './http/http-server.js';
import { Routes } from './openai/routes.js';
import { servedModel } from './openai/served-model.js';
import type { RequestLimits } from './openai/read-request.js';
import { type RequestReader, SplitReader } from './openai/reader.js';
import { ReadingThread } from './openai/reading-thread.js';

/** How a server answers, whatever runs its model. */
export interface ListenOptions extends Access {
  /** What clients call the model. */
  name: string;
  /** 0 takes a free one. */
  port: number;
  maxBodyBytes: number;
  /** One line for each request. */
  logger: Logger;
}

/** How a model is served. */
export interface ServeOptions extends EngineSettings, ListenOptions {
  /** Sequences that may wait for a place; more are refused. */
  maxQueue: number;
  /** Serve other machines without a key. */
  allowsNoKey: boolean;
}

/** A server that answers requests. */
export interface Server {
  /** Where it listens, without a path. */
  url: string;
  /** Resolves when the model's thread has ended; with the error, if it ended by itself: the server is to be closed then. */
  ended: Promise<Error | undefined>;
  /** Refuses new requests, lets running ones finish for so many seconds, ends the rest, then the model's thread. */
  close(graceSeconds: number): Promise<void>;
}

/**
 * Loads a model into a thread of its own and answers OpenAI's interface with it.
 * @throws UserError for settings that cannot be served; what the loading threw.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const { logger, device, precision, threads, model, maxBatch, maxQueue, keptPrompts } = options;
  checkAccess(options, options.allowsNoKey);
  const tokenizer = await loadTokenizer(model, {
    onFallback: (reason) => logger.warn(reason),
    onWarning: (warning) => logger.warn(warning),
  });
  const settings: EngineSettings = {
    device,
    precision,
    ...(threads === undefined ? {} : { threads }),
    model,
    maxBatch,
    ...(keptPrompts === undefined ? {} : { keptPrompts }),
  };
  const started = await startEngine(settings, { maxBatch, maxQueue });
  const limits = limitsOf(started.engine);
  const memoryMiB = READING_MIB + Math.ceil((READING_PER_BYTE * options.maxBodyBytes) / 2 ** 20);
  const thread = new ReadingThread({ tokenizer: tokenizer.folder, limits }, memoryMiB);
  const server = await openServer(started, { tokenizer, reader: new SplitReader(tokenizer, limits, thread) }, options);
  logger.info(`serving ${options.name} on ${device}, ${maxBatch} sequences at once, at ${server.url}/v1`);
  return server;
}

/** Memory of the thread that reads large requests: its tokenizer, and what a body becomes. */
const READING_MIB = 512;
const READING_PER_BYTE = 64;

/** What bounds a request to an engine. */
export function limitsOf({ config, maxChoices }: Engine): RequestLimits {
  return { vocabSize: config.vocabSize, maxPositions: config.maxPositions, maxChoices };
}

/** Answers with an engine that runs already, and ends it with the server. @throws UserError when it cannot listen. */
export async function openServer(
  { engine, ended }: StartedEngine,
  { tokenizer, reader }: { tokenizer: Tokenizer; reader: RequestReader },
  options: ListenOptions,
): Promise<Server> {
  const { name, host, apiKey, maxBodyBytes, logger } = options;
  const closeEngine = async (): Promise<void> => {
    engine.close();
    await Promise.all([ended, reader.close()]);
  };
  const access: Access = { host, ...(apiKey === undefined ? {} : { apiKey }) };
  const served = servedModel({ name, tokenizer, engine, reader });
  const routes = new Routes(served, { access, maxBodyBytes, logger, clock: systemClock });
  const listening = await listen(routes, options).catch(async (error: unknown) => {
    await closeEngine();
    throw error;
  });
  return {
    url: listening.url,
    ended,
    close: async (graceSeconds) => {
      await listening.close(graceSeconds * 1000);
      await closeEngine();
    },
  };
}
