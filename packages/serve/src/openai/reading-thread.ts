import { Worker } from 'node:worker_threads';
import { ApiError } from '../http/api-error.js';
import type { ReadRequest, RequestKind } from './read-request.js';
import type { RequestReader } from './reader.js';
import type { ReadingReply, ReadingSettings, ReadingTask } from './reading-messages.js';

interface Waiting {
  resolve(read: ReadRequest): void;
  reject(error: Error): void;
}

/** Reads requests in a thread, which begins with the first of them and has a limit of memory. */
export class ReadingThread implements RequestReader {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;

  constructor(
    private readonly settings: ReadingSettings,
    private readonly memoryMiB: number,
  ) {}

  read(kind: RequestKind, body: Uint8Array): Promise<ReadRequest> {
    const worker = (this.worker ??= this.start());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ id, kind, body } satisfies ReadingTask);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(new URL('./reading-worker.js', import.meta.url), {
      workerData: this.settings,
      resourceLimits: { maxOldGenerationSizeMb: this.memoryMiB },
    });
    worker.on('message', (reply: ReadingReply) => this.deliver(reply));
    worker.on('error', (error: NodeJS.ErrnoException) => this.fail(worker, this.explained(error)));
    worker.on('exit', () => this.fail(worker, new ApiError(503, 'the server stops')));
    return worker;
  }

  private deliver(reply: ReadingReply): void {
    const { resolve, reject } = this.waiting.get(reply.id)!;
    this.waiting.delete(reply.id);
    if ('read' in reply) return resolve(reply.read);
    if ('failed' in reply) return reject(new Error(reply.failed));
    const { status, message, details } = reply.refused;
    reject(new ApiError(status, message, details));
  }

  /** The thread is gone: what waits is answered, and the next request begins another. */
  private fail(worker: Worker, error: Error): void {
    if (this.worker === worker) this.worker = undefined;
    else return;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private explained(error: NodeJS.ErrnoException): Error {
    if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return new ApiError(
      413,
      `this or another request took more than ${this.memoryMiB} MiB to read; send smaller ones`,
      {
        code: 'body_too_large',
      },
    );
  }
}
