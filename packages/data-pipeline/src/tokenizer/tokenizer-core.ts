import { UserError } from '@lethe/run';
import type { TokenPlaces } from './token-places.js';

/** The parts of a parsed `tokenizer.json` that this package looks at. */
export interface TokenizerJson {
  added_tokens?: AddedTokenJson[];
  truncation?: unknown;
  padding?: unknown;
  model: { vocab: Record<string, number> | [string, number][]; unk_token?: string | null } & Record<string, unknown>;
  [key: string]: unknown;
}

/** An entry of `added_tokens`. */
export interface AddedTokenJson {
  id: number;
  content: string;
  special: boolean;
  normalized: boolean;
  [key: string]: unknown;
}

/** An implementation of tokenization: it encodes text as its `tokenizer.json` says and knows nothing else. */
export interface TokenizerCore {
  /** Ids of each text. `addSpecialTokens` applies the post-processor's template. */
  encodeBatch(texts: string[], addSpecialTokens: boolean): Promise<Int32Array[]>;
  /**
   * Ids of a text without special tokens around it; `places` tells where they lie in it.
   * @throws TokenizerError by `places`, where they cannot be told.
   */
  encodeWithPlaces(text: string): Promise<PlacedIds>;
  /** Text of ids, special tokens included. */
  decode(ids: number[]): Promise<string>;
  /** One more than the largest id. */
  vocabSize(): number;
}

/** Ids of a text, and where they lie in it. */
export interface PlacedIds {
  ids: Int32Array;
  places(): TokenPlaces;
}

/** `rust`: Hugging Face's own library. `js`: the pure JavaScript one, slower, runs anywhere. */
export type CoreName = 'rust' | 'js';

/** Builds a core from a parsed `tokenizer.json` and `tokenizer_config.json`. */
export type BuildCore = (tokenizer: TokenizerJson, config: Record<string, unknown>) => TokenizerCore;

/** Raised when a tokenizer cannot be loaded or used. */
export class TokenizerError extends UserError {}
