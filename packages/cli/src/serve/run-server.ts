import { loadTokenizer } from '@lethe/data-pipeline';
import { listenForStop, type Logger, STOP_EXIT_CODES, systemClock } from '@lethe/run';
import { type Access, checkAccess } from './access.js';
import type { EngineSettings } from './engine-messages.js';
import { listen } from './http-server.js';
import { Routes } from './routes.js';
import { servedModel } from './served-model.js';
import { startEngine } from './start-engine.js';

/** How a model is served. */
export interface ServeOptions extends EngineSettings, Access {
  /** What clients call the model. */
  name: string;
  port: number;
  maxQueue: number;
  maxBodyBytes: number;
  /** Serve other machines without a key. */
  allowsNoKey: boolean;
  /** Seconds that running requests have to finish when the server is told to stop. */
  graceSeconds: number;
  logger: Logger;
  /** Called with the address when requests can come. */
  onListening(url: string): void;
}

/**
 * Serves a model until SIGINT or SIGTERM, or until its thread fails.
 * @returns the exit code of the signal.
 * @throws UserError for settings that cannot be served; what ended the model's thread.
 */
export async function runServer(options: ServeOptions): Promise<number> {
  const { logger, host, apiKey } = options;
  checkAccess(options, options.allowsNoKey);
  let stopped = (): void => {};
  const toStop = new Promise<void>((done) => (stopped = done));
  const stop = listenForStop((signal) => {
    logger.warn(`${signal}: finishing running requests; again to stop at once`);
    stopped();
  });
  try {
    const tokenizer = await loadTokenizer(options.model, { onFallback: (reason) => logger.warn(reason) });
    const { device, precision, threads, model, maxBatch, maxQueue } = options;
    const settings = { device, precision, ...(threads === undefined ? {} : { threads }), model, maxBatch };
    const { engine, ended } = await startEngine(settings, { maxBatch, maxQueue });
    const served = servedModel(options.name, tokenizer, engine);
    const access: Access = { host, ...(apiKey === undefined ? {} : { apiKey }) };
    const routes = new Routes(served, { access, maxBodyBytes: options.maxBodyBytes, logger, clock: systemClock });
    const server = await listen(routes, options).catch(async (error: unknown) => {
      engine.close();
      await ended;
      throw error;
    });
    logger.info(`serving ${served.name} on ${device}, ${maxBatch} sequences at once, at ${server.url}/v1`);
    options.onListening(server.url);
    const failure = await Promise.race([toStop, ended]);
    await server.close(failure ? 0 : options.graceSeconds * 1000);
    if (!failure) engine.close();
    await ended;
    if (failure) throw failure;
    return STOP_EXIT_CODES[stop.requested!];
  } finally {
    stop.dispose();
  }
}
