// The worker thread that holds the model: the server's own thread stays free to answer, stream and refuse while a step
// computes.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { ContinuousBatch, loadLlama } from '@lethe/model';
import { UserError } from '@lethe/run';
import { applyDeviceSettings } from '@lethe/tensor';
import { runEngine } from './engine-loop.js';
import type { EngineReply, EngineSettings } from './engine-messages.js';

/** Loads the model, says so, and runs until told to close. */
async function work(port: MessagePort, settings: EngineSettings): Promise<void> {
  const reply = (message: EngineReply): void => port.postMessage(message);
  try {
    const notice = await applyDeviceSettings(settings);
    if (notice) process.stderr.write(`${notice}\n`);
    const { model } = loadLlama(settings.model, { trainable: false });
    reply({ kind: 'ready', config: model.config });
    const { maxBatch, keptPrompts = maxBatch } = settings;
    await runEngine(port, new ContinuousBatch(model, { maxSequences: maxBatch, keptPrefixes: keptPrompts }));
    model.dispose();
  } catch (error) {
    const { message, stack } = error as Error;
    const isExpected = error instanceof UserError || error instanceof RangeError;
    reply({ kind: 'refused', message, stack, isExpected });
  }
}

await work(parentPort!, workerData as EngineSettings);
