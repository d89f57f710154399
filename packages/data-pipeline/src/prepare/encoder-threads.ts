import { type MessagePort, Worker } from 'node:worker_threads';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import type { EncodedRow, Unencoded } from './encode-rows.js';
import { type EncoderReply, type EncoderSettings, packRows } from './encoder-messages.js';

/** What leads to a thread that encodes, and what ends it. */
export interface StartedEncoder {
  port: MessagePort | Worker;
  end: () => void;
}

interface Waiting {
  resolve(rows: EncodedRow[]): void;
  reject(error: Error): void;
}

/** A thread; `waiting` in the order in which it answers. */
interface Encoder extends StartedEncoder {
  isReady: boolean;
  waiting: Waiting[];
}

/** Batches that a thread has at once: one in work, and one at hand when that is done. */
const BATCHES = 2;
/** Characters for which no thread has room before one more is started: fewer are done before it is ready. */
const CHARACTERS = 2 ** 22;

/** Starts a thread that encodes. */
export function startEncoder(settings: EncoderSettings): StartedEncoder {
  const worker = new Worker(new URL('./encoder-worker.js', import.meta.url), { workerData: settings });
  return { port: worker, end: () => void worker.terminate() };
}

/**
 * Threads that read and encode rows, each with a tokenizer and what it remembers for itself. They are started one after
 * another while there is more to encode than those there are, and the thread that asks, get done.
 */
export class EncoderThreads {
  private readonly encoders: Encoder[] = [];
  private turnedAway = 0;
  private failure: Error | undefined;
  private isClosed = false;

  constructor(
    private readonly most: number,
    private readonly start: () => StartedEncoder,
    private readonly characters = CHARACTERS,
  ) {}

  /** Threads started. */
  get count(): number {
    return this.encoders.length;
  }

  /**
   * Gives rows of so many characters to the thread that has least to do; undefined where all have enough.
   * @throws what a thread has failed with.
   */
  encode(rows: readonly Unencoded[], characters: number): Promise<EncodedRow[]> | undefined {
    if (this.failure) throw this.failure;
    const free = this.encoders.filter(({ isReady, waiting }) => isReady && waiting.length < BATCHES);
    const [encoder] = free.sort((a, b) => a.waiting.length - b.waiting.length);
    if (!encoder) {
      this.turnedAway += characters;
      if (this.turnedAway >= this.characters && this.count < this.most) this.add();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      encoder.waiting.push({ resolve, reject });
      const request = packRows(rows);
      encoder.port.postMessage(request, [request.json.buffer as ArrayBuffer]);
    });
  }

  /** Ends the threads, whatever they do. */
  close(): void {
    this.isClosed = true;
    for (const { end } of this.encoders) end();
  }

  private add(): void {
    if (this.encoders.some(({ isReady }) => !isReady)) return;
    this.turnedAway = 0;
    const encoder: Encoder = { ...this.start(), isReady: false, waiting: [] };
    const port = encoder.port as MessagePort;
    port.on('message', (reply: EncoderReply) => this.hear(encoder, reply));
    port.on('error', (error) => this.fail(error));
    port.on('exit', (code: number) => this.fail(new Error(`a thread that tokenizes has ended with ${code}`)));
    this.encoders.push(encoder);
  }

  private hear(encoder: Encoder, reply: EncoderReply): void {
    if (reply.kind === 'ready') encoder.isReady = true;
    else if (reply.kind === 'encoded') encoder.waiting.shift()!.resolve(reply.rows);
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
