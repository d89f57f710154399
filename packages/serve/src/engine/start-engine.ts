import { Worker } from 'node:worker_threads';
import { UserError } from '@lethe/run';
import { Engine, type EngineLimits } from './engine.js';
import type { EngineReply, EngineSettings } from './engine-messages.js';

/** A worker thread with its model loaded. */
export interface StartedEngine {
  engine: Engine;
  /** Resolves when the thread has ended; with the error, if it ended by itself. */
  ended: Promise<Error | undefined>;
}

/** Starts the thread that runs the model and waits until the model is loaded. @throws what the loading threw. */
export async function startEngine(settings: EngineSettings, limits: EngineLimits): Promise<StartedEngine> {
  const worker = new Worker(new URL('./engine-worker.js', import.meta.url), { workerData: settings });
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.on('error', resolve);
    worker.on('exit', (code) => resolve(code === 0 ? undefined : new Error(`the model's thread ended with ${code}`)));
  });
  const first = await Promise.race([
    new Promise<EngineReply>((resolve) => worker.once('message', resolve)),
    ended.then((error) => {
      throw error ?? new Error("the model's thread ended before the model was loaded");
    }),
  ]);
  if (first.kind !== 'ready') {
    const { message, stack, isExpected } = first as Extract<EngineReply, { kind: 'refused' }>;
    throw isExpected ? new UserError(message) : Object.assign(new Error(message), { stack });
  }
  const engine = new Engine(worker, first.config, limits);
  void ended.then((error) => engine.fail(error ?? new Error("the model's thread has ended")));
  return { engine, ended };
}
