import type { MessagePort, Worker } from 'node:worker_threads';
import type { LlamaConfig, SequenceEvent, SequenceRequest } from '@lethe/model';
import { ApiError } from '../http/api-error.js';
import type { EngineReply, EngineRequest } from './engine-messages.js';
import { EventQueue } from './event-queue.js';

/** What is running and waiting, and how much may. */
export interface EngineLimits {
  /** Sequences that run at once. */
  maxBatch: number;
  /** Sequences that may wait for a place; more are refused. */
  maxQueue: number;
}

/** A sequence that has its place. */
export interface RunningSequence {
  events: AsyncIterable<SequenceEvent>;
  /** Gives the place back; nothing happens where the sequence has ended. */
  cancel(): void;
}

/** The server's side of the model: hands sequences to the thread that runs them, and their events back. */
export class Engine {
  private readonly queues = new Map<number, EventQueue<SequenceEvent>>();
  private nextId = 0;
  private failure: Error | undefined;

  /** `port` leads to a thread (or, in tests, the same one) that runs `runEngine`. */
  constructor(
    private readonly port: MessagePort | Worker,
    readonly config: LlamaConfig,
    private readonly limits: EngineLimits,
  ) {
    port.on('message', (reply: EngineReply) => {
      if (reply.kind === 'events') for (const { id, event } of reply.events) this.deliver(id, event);
      if (reply.kind === 'refused') this.fail(new Error(reply.message));
    });
  }

  /** Sequences whose places are taken, and sequences that wait for one. */
  get load(): { running: number; waiting: number } {
    const running = Math.min(this.queues.size, this.limits.maxBatch);
    return { running, waiting: this.queues.size - running };
  }

  /** Choices that one request may have: as many as run and wait. */
  get maxChoices(): number {
    return this.limits.maxBatch + this.limits.maxQueue;
  }

  /** @throws ApiError 429 where so many more sequences do not find a place. */
  requireRoom(numSequences: number): void {
    const free = this.maxChoices - this.queues.size;
    if (numSequences <= free) return;
    const { waiting } = this.load;
    throw new ApiError(
      429,
      `the queue is full: ${waiting} sequences wait, and there is room for ${Math.max(free, 0)} more where the request ` +
        `needs ${numSequences}; try again later`,
      { code: 'queue_full', headers: { 'retry-after': '1' } },
    );
  }

  /**
   * Takes a place for a sequence at once and runs it. Its events come in order, to the last one or to the
   * abort; `cancel` is to be called in the end.
   */
  start(request: SequenceRequest, signal: AbortSignal): RunningSequence {
    signal.throwIfAborted();
    if (this.failure) throw this.failure;
    const id = this.nextId++;
    const queue = new EventQueue<SequenceEvent>();
    const abort = (): void => queue.fail(signal.reason as Error);
    signal.addEventListener('abort', abort);
    this.queues.set(id, queue);
    this.post({ kind: 'add', id, request });
    const cancel = (): void => {
      signal.removeEventListener('abort', abort);
      if (this.queues.delete(id)) this.post({ kind: 'cancel', id });
    };
    return { events: queue, cancel };
  }

  /** Fails every sequence, now and later: the thread that runs them has ended. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const queue of this.queues.values()) queue.fail(error);
  }

  /** Tells the thread to end. */
  close(): void {
    this.post({ kind: 'close' });
  }

  private post(message: EngineRequest): void {
    this.port.postMessage(message);
  }

  private deliver(id: number, event: SequenceEvent): void {
    const queue = this.queues.get(id);
    if (!queue) return;
    if (event.kind === 'failure') queue.fail(new Error(event.message));
    else queue.push(event);
    if (event.kind !== 'end' && event.kind !== 'failure') return;
    this.queues.delete(id);
    queue.end();
  }
}
