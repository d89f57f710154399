import type { ReadRequest, RequestKind, RequestLimits } from './read-request.js';

/** What the thread that reads requests is started with. */
export interface ReadingSettings {
  /** Folder of the tokenizer. */
  tokenizer: string;
  limits: RequestLimits;
}

/** A body to be read. */
export interface ReadingTask {
  id: number;
  kind: RequestKind;
  body: Uint8Array;
}

/** What came of it: the request; a refusal, as {@link import('../http/api-error.js').ApiError} is made; a defect. */
export type ReadingReply = { id: number } & (
  { read: ReadRequest } | { refused: { status: number; message: string; details: object } } | { failed: string }
);
