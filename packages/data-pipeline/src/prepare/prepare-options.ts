import type { FileReport, Source } from '../documents/read-documents.js';
import type { FiltersReport } from '../filters/filter-documents.js';
import type { FilterOptions } from '../filters/filter-kinds.js';
import type { IdType } from '../shards/shard-index.js';
import type { Answers } from '../tokenizer/chat-template.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { Note } from './notes.js';

/** Which documents are kept from training: a share of them, or about so many. */
export type HeldOut = { fraction: number } | { documents: number };

/** What `prepare` makes of which sources. */
export interface PrepareOptions {
  sources: readonly (string | Source)[];
  /**
   * Receives `train/`, `heldout/`, `tokenizer/`, `prepare.json`, and, where there are any, `wrong-rows.jsonl`,
   * `dropped.jsonl` (by filters) and `overlap.jsonl`.
   */
  out: string;
  tokenizer: Tokenizer;
  /**
   * `text`: pre-training; every token is a target and question-answer rows are rendered with `template`.
   * `chat`: instructions; rendered with the chat template, targets on assistant turns only.
   * `ids`: rows with `input_ids` that another program tokenized, with this tokenizer. Default `text`.
   */
  as?: 'text' | 'chat' | 'ids';
  /** How a question-answer row reads as text. Default `{prompt}\n{response}`. */
  template?: string;
  /** Jinja template in place of the model's own, or the name of one of several that the model has. */
  chatTemplate?: string;
  /**
   * Which answers of a conversation are targets. `all` (the default): in one document; where the template rewrites
   * earlier turns, the last only. `last`: the last. `each`: a document for each answer, which ends with it.
   */
  answers?: Answers;
  /** Whether text that spells a special token stays text (the default) or becomes that token: chats rendered before. */
  specialTokens?: 'text' | 'parse';
  /** Put the tokenizer's own special tokens (BOS) around texts. Default true. */
  addSpecialTokens?: boolean;
  /** Default `{ fraction: 0.01 }`; `{ fraction: 0 }` keeps none. */
  heldOut?: HeldOut;
  /** Decides which documents are held out. Default 0. */
  seed?: number;
  /** Stop at the first wrong row. */
  strict?: boolean;
  /** Which documents are left out. Default: none. */
  filters?: FilterOptions;
  /** Tokens after which an interrupted preparation can go on. Default 8 Mi. */
  checkpointTokens?: number;
  idType?: IdType;
  batchBytes?: number;
  shardBytes?: number;
  /** Threads that encode, this one among them; with little to encode it is alone. Default: one for each core. */
  threads?: number;
  /** Prepare again even if the same preparation is already there. */
  force?: boolean;
  /** Stops the preparation; the folder then holds no finished shards, and the same preparation goes on from there. */
  signal?: AbortSignal;
}

/** How far a preparation is. */
export interface PrepareProgress {
  documents: number;
  tokens: number;
  wrongRows: number;
  /** Bytes of the source files read so far and in all (undefined for standard input). */
  bytesRead: number;
  bytesTotal: number | undefined;
  seconds: number;
}

/** Documents and tokens of one split. */
export interface SplitReport {
  folder: string;
  documents: number;
  tokens: number;
  targets: number;
}

/** `prepare.json`. */
export interface PrepareReport {
  format: 'lethe-prepare';
  version: 1;
  /** Hash of options, tokenizer and source files; equal fingerprints mean equal shards. */
  fingerprint: string | undefined;
  as: 'text' | 'chat' | 'ids';
  tokenizer: { hash: string; vocabSize: number; core: string };
  seed: number;
  heldOut: HeldOut;
  files: FileReport[];
  wrongRows: {
    count: number;
    /** Rows by reason, the most frequent reasons. */
    reasons: Record<string, number>;
    /** The first of them as "file:line: reason"; all are in wrong-rows.jsonl. */
    examples: string[];
  };
  /** What the filters dropped; absent without filters. */
  filters?: FiltersReport;
  /** What changes the training and is no error: columns that are not used, and the like; once for each file. */
  notes: Note[];
  splits: { train: SplitReport; heldout?: SplitReport };
  bytesRead: number;
  seconds: number;
  /** Threads that encoded. */
  threads: number;
  bytesPerSecond: number;
  tokensPerSecond: number;
}

/** A report, and whether the work had been done before. */
export interface PrepareResult {
  report: PrepareReport;
  isSkipped: boolean;
  /** Documents that an interrupted preparation had done before; 0 without one. */
  numResumed: number;
}
