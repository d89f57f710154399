import type { Tokenizer } from '@lethe/data-pipeline';
import { type ReadRequest, readRequest, type RequestKind, type RequestLimits } from './read-request.js';

/** Reads the bodies of requests. */
export interface RequestReader {
  /** @throws ApiError. */
  read(kind: RequestKind, body: Uint8Array): Promise<ReadRequest>;
  /** Ends what it has started. */
  close(): Promise<void>;
}

/** Bodies up to here take a few milliseconds to read. */
const SMALL = 1 << 15;

/** Reads small bodies at once, and gives large ones to a reader in a thread of its own. */
export class SplitReader implements RequestReader {
  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly limits: RequestLimits,
    private readonly forLarge: RequestReader,
  ) {}

  read(kind: RequestKind, body: Uint8Array): Promise<ReadRequest> {
    if (body.byteLength > SMALL) return this.forLarge.read(kind, body);
    return readRequest(this.tokenizer, { kind, body }, this.limits);
  }

  close(): Promise<void> {
    return this.forLarge.close();
  }
}
