import { Worker } from 'node:worker_threads';
import type { Document } from '../documents/document.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { EncodedDocument, EncodingOptions } from './encoder.js';
import type { EncoderReply, EncoderSettings } from './encoder-messages.js';

interface Waiting {
  resolve(documents: EncodedDocument[]): void;
  reject(error: Error): void;
}

/** A thread that encodes; `waiting` in the order in which it answers. */
interface Encoder {
  worker: Worker;
  isReady: boolean;
  waiting: Waiting[];
}

/** Batches that a thread has at once: one in work, and one at hand when that is done. */
const BATCHES = 2;

/** Threads that encode documents, each with the tokenizer and what it remembers for itself. */
export class EncoderThreads {
  private readonly encoders: Encoder[] = [];
  private failure: Error | undefined;
  private isClosed = false;

  constructor(
    private readonly tokenizer: Pick<Tokenizer, 'file' | 'hash' | 'core'>,
    private readonly options: EncodingOptions,
  ) {}

  get count(): number {
    return this.encoders.length;
  }

  /** Starts a thread, which takes batches once it has loaded its tokenizer; one after another. */
  start(): void {
    if (this.encoders.some(({ isReady }) => !isReady)) return;
    const { file, hash, core } = this.tokenizer;
    const settings: EncoderSettings = { file, hash, core, options: this.options };
    const worker = new Worker(new URL('./encoder-worker.js', import.meta.url), { workerData: settings });
    const encoder: Encoder = { worker, isReady: false, waiting: [] };
    worker.on('message', (reply: EncoderReply) => this.hear(encoder, reply));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => this.fail(new Error(`a thread that tokenizes has ended with ${code}`)));
    this.encoders.push(encoder);
  }

  /** Gives documents to the thread that has least to do; undefined where all have enough. @throws what a thread failed with. */
  encode(documents: Document[]): Promise<EncodedDocument[]> | undefined {
    if (this.failure) throw this.failure;
    const free = this.encoders.filter(({ isReady, waiting }) => isReady && waiting.length < BATCHES);
    const [encoder] = free.sort((a, b) => a.waiting.length - b.waiting.length);
    if (!encoder) return undefined;
    return new Promise((resolve, reject) => {
      encoder.waiting.push({ resolve, reject });
      encoder.worker.postMessage(documents);
    });
  }

  /** Ends the threads, whatever they do. */
  close(): void {
    this.isClosed = true;
    for (const { worker } of this.encoders) void worker.terminate();
  }

  private hear(encoder: Encoder, reply: EncoderReply): void {
    if (reply.kind === 'ready') encoder.isReady = true;
    else if (reply.kind === 'encoded') encoder.waiting.shift()!.resolve(reply.documents);
    else {
      const error = reply.isExpected ? new TokenizerError(reply.message) : new Error(reply.message);
      const waiting = encoder.waiting.shift();
      if (waiting) waiting.reject(error);
      else this.fail(error);
    }
  }

  /** A thread is gone: what waits for any of them fails. */
  private fail(error: Error): void {
    if (this.isClosed) return;
    this.failure ??= error;
    for (const { reject } of this.encoders.flatMap(({ waiting }) => waiting.splice(0))) reject(this.failure);
  }
}
