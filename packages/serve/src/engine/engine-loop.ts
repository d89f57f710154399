import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { BatchEvent, ContinuousBatch, SequenceEvent } from '@lethe/model';
import type { EngineReply, EngineRequest } from './engine-messages.js';

/** Log-probabilities in one message: what the server's thread takes in at once, while others wait for it. */
const MOST_IN_MESSAGE = 16_384;

/**
 * Steps a batch while it has sequences, and sleeps while it has none, until told to close. Requests and cancellations
 * arrive between steps.
 */
export async function runEngine(port: MessagePort, batch: ContinuousBatch): Promise<void> {
  let isClosed = false;
  let wake = (): void => {};
  const post = (events: BatchEvent[]): void => {
    for (const part of inParts(events)) port.postMessage({ kind: 'events', events: part } satisfies EngineReply);
  };
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

/** The events in messages of bounded size: the scores of a long prompt come as several `prompt` events. */
export function* inParts(events: BatchEvent[], most = MOST_IN_MESSAGE): Generator<BatchEvent[]> {
  let part: BatchEvent[] = [];
  let size = 0;
  for (const event of events.flatMap((one) => split(one, most))) {
    const added = event.event.kind === 'prompt' ? event.event.logprobs.length * (1 + numTopOf(event.event)) : 1;
    if (size > 0 && size + added > most) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(event);
    size += added;
  }
  if (part.length > 0) yield part;
}

type PromptEvent = Extract<SequenceEvent, { kind: 'prompt' }>;

const numTopOf = ({ logprobs }: PromptEvent): number => logprobs.at(-1)?.top.length ?? 0;

function split({ id, event }: BatchEvent, most: number): BatchEvent[] {
  if (event.kind !== 'prompt') return [{ id, event }];
  const { logprobs } = event;
  const size = Math.max(1, Math.floor(most / (1 + numTopOf(event))));
  const count = Math.max(1, Math.ceil(logprobs.length / size));
  return Array.from({ length: count }, (_, i) => ({
    id,
    event: { kind: 'prompt', logprobs: logprobs.slice(i * size, (i + 1) * size) },
  }));
}
