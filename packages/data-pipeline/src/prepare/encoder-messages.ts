import type { CoreName } from '../tokenizer/tokenizer-core.js';
import type { EncodedDocument, EncodingOptions } from './encoder.js';

/** What a thread that encodes is started with; it then receives lists of documents, and answers each. */
export interface EncoderSettings {
  /** The tokenizer.json, and the hash that the tokenizer made of it must have. */
  file: string;
  hash: string;
  core: CoreName;
  options: EncodingOptions;
}

/** What it says: once that it is ready, then what became of the documents, in the order of the lists. */
export type EncoderReply =
  | { kind: 'ready' }
  | { kind: 'encoded'; documents: EncodedDocument[] }
  | { kind: 'failed'; message: string; isExpected: boolean };
