import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { BatchEvent, ContinuousBatch } from '@lethe/model';
import type { EngineReply, EngineRequest } from './engine-messages.js';

/**
 * Steps a batch while it has sequences, and sleeps while it has none, until told to close. Requests and cancellations
 * arrive between steps.
 */
export async function runEngine(port: MessagePort, batch: ContinuousBatch): Promise<void> {
  let isClosed = false;
  let wake = (): void => {};
  const post = (events: BatchEvent[]): void => port.postMessage({ kind: 'events', events } satisfies EngineReply);
  port.on('message', (message: EngineRequest) => {
    if (message.kind === 'cancel') batch.cancel(message.id);
    if (message.kind === 'close') isClosed = true;
    if (message.kind === 'add') {
      try {
        batch.add(message.request, message.id);
      } catch (error) {
        post([{ id: message.id, event: { kind: 'failure', message: (error as Error).message } }]);
      }
    }
    wake();
  });
  while (!isClosed) {
    if (batch.isIdle) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    const events = batch.step();
    if (events.length > 0) post(events);
    await setImmediate();
  }
  batch.dispose();
  port.close();
}
