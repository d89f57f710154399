export type { Batch, TokenStream } from './stream/token-stream.js';
