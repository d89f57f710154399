import { availableParallelism } from 'node:os';
import path from 'node:path';
import { makeFolder, writeFileAtomically } from '@lethe/run';
import type { Preference } from '../documents/columns.js';
import { SourceError, type Document, type Place, type WrongRow } from '../documents/document.js';
import { type FileReport, parsed, readRows, readUnparsedRows } from '../documents/read-documents.js';
import { Filters } from '../filters/filter-documents.js';
import type { ShardWriterOptions } from '../shards/shard-writer.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { type Encoded, encodeDocuments, type Read } from './encode-documents.js';
import { createRowEncoder } from './encode-rows.js';
import type { EncodedPart } from './encoder.js';
import { EncoderThreads, startEncoder } from './encoder-threads.js';
import type { Fingerprint } from './fingerprint.js';
import { heldOutLimit } from './held-out.js';
import { Notes } from './notes.js';
import type { HeldOut, PrepareOptions, PrepareProgress, PrepareReport } from './prepare-options.js';
import { removeResumeState, writeResumeState, type ResumeState } from './resume-state.js';
import { Split } from './split.js';
import { copyTokenizer } from './tokenizer-files.js';
import { WrongRows } from './wrong-rows.js';

const DEFAULT_HELD_OUT: HeldOut = { fraction: 0.01 };
const PROGRESS_EVERY_MS = 200;
const CHECKPOINT_TOKENS = 2 ** 23;
/** Rows that could not be encoded, kept for checkpoints; with more of them there are no more checkpoints. */
const MAX_WRONG_ROWS = 10_000;

/** The first of several names, and how many more there are. */
const named = ([first, ...more]: string[]): string => `${first}${more.length > 0 ? ` and ${more.length} more` : ''}`;

/** One run of `prepare`, from the sources to prepare.json. */
export class Preparation {
  private readonly started = performance.now();
  private readonly wrongRows: WrongRows;
  private readonly dropped: WrongRows;
  private readonly files: FileReport[] = [];
  private filters: Filters | undefined;
  private threads: EncoderThreads | undefined;
  private splits: Split[] = [];
  /** Documents whose hash is below it are held out. */
  private limit = 0;
  /** Documents that are done. */
  private numDone: number;
  /** Those among them that could not be encoded. */
  private readonly wrongEncoded: WrongRow[] = [];
  /** What was told as rows were read, and as documents were encoded. */
  private readonly notes = new Notes();
  private readonly encoderNotes: Notes;
  private bytesRead = 0;
  private lastProgress = 0;
  private tokensAtCheckpoint = 0;
  private hasCheckpoint: boolean;

  constructor(
    private readonly options: PrepareOptions,
    private readonly identity: Fingerprint,
    private readonly onProgress: ((progress: PrepareProgress) => void) | undefined,
    private readonly state: ResumeState | undefined,
  ) {
    this.wrongRows = new WrongRows(path.join(options.out, 'wrong-rows.jsonl'), options.strict ?? false);
    this.dropped = new WrongRows(path.join(options.out, 'dropped.jsonl'), false);
    this.hasCheckpoint = state !== undefined;
    this.numDone = state?.documents ?? 0;
    this.encoderNotes = new Notes(state?.notes);
  }

  /** Does all of it. @throws as `prepare`. */
  async run(): Promise<PrepareReport> {
    const { out, heldOut = DEFAULT_HELD_OUT, seed = 0 } = this.options;
    const hasMask = await this.findMask();
    const writerOptions = this.writerOptions(hasMask);
    if ('documents' in heldOut && this.identity.bytesTotal === undefined) {
      throw new SourceError(
        'heldOut: a number of documents needs two passes, and standard input can be read once; give a fraction',
      );
    }
    this.limit = await heldOutLimit(heldOut, seed, () => this.countable());
    makeFolder(out);
    try {
      await this.openSplits(this.limit > 0 ? ['train', 'heldout'] : ['train'], writerOptions);
      for await (const encoded of this.encoded(hasMask)) {
        await this.take(encoded);
        this.progress();
      }
    } catch (error) {
      await Promise.all(this.splits.map(({ writer }) => (this.hasCheckpoint ? writer.suspend() : writer.abandon())));
      this.closeLists();
      throw error;
    }
    this.closeLists();
    return this.finish();
  }

  private async openSplits(folders: string[], writerOptions: ShardWriterOptions): Promise<void> {
    for (const folder of folders) {
      this.splits.push(await Split.open(this.options.out, folder, writerOptions, this.state?.splits[folder]));
    }
    for (const row of this.state?.wrongRows ?? []) this.addWrongEncoded(row);
    this.tokensAtCheckpoint = this.numTokens();
  }

  private writerOptions(hasTargetsMask: boolean): ShardWriterOptions {
    const { tokenizer, idType, batchBytes, shardBytes } = this.options;
    const { eos, pad } = tokenizer.special;
    if (eos === undefined) {
      throw new TokenizerError(
        `${tokenizer.folder}: the tokenizer names no end-of-text token; add eos_token to its tokenizer_config.json`,
      );
    }
    return {
      vocabSize: tokenizer.vocabSize,
      tokenizerHash: tokenizer.hash,
      eosId: eos,
      padId: pad ?? eos,
      hasTargetsMask,
      ...(idType === undefined ? {} : { idType }),
      ...(batchBytes === undefined ? {} : { batchBytes }),
      ...(shardBytes === undefined ? {} : { shardBytes }),
    };
  }

  /** The documents that a number to hold out counts: those that the filters keep. */
  private async *countable(): AsyncGenerator<Document> {
    const filters = await Filters.open(this.options.filters ?? {}, this.options.out, this.options.template);
    try {
      for await (const read of this.rows())
        if (!('reason' in read) && filters.objection(read) === undefined) yield read;
    } finally {
      filters.close();
    }
  }

  private get prefer(): Preference {
    return ({ text: 'text', chat: 'turns', ids: 'ids' } as const)[this.options.as ?? 'text'];
  }

  private rows(): AsyncGenerator<Document | WrongRow> {
    return readRows(this.options.sources, { prefer: this.prefer });
  }

  /** Whether documents have a mask: conversations do; for ids the first row tells. */
  private async findMask(): Promise<boolean> {
    if (this.options.as !== 'ids') return this.options.as === 'chat';
    if (this.identity.bytesTotal === undefined) return false;
    for await (const read of this.rows()) if (!('reason' in read)) return 'mask' in read;
    return false;
  }

  private async *encoded(hasMask: boolean): AsyncGenerator<Encoded> {
    const { tokenizer, out, as = 'text', template, chatTemplate, addSpecialTokens = true } = this.options;
    const { answers = 'all', specialTokens = 'text', threads = availableParallelism() } = this.options;
    this.filters = await Filters.open(this.options.filters ?? {}, out, template);
    const seed = this.limit > 0 ? (this.options.seed ?? 0) : undefined;
    const how = { as, template, chatTemplate, addSpecialTokens, answers, specialTokens, hasMask, seed };
    const { file, hash, core } = tokenizer;
    const others = as === 'ids' ? 0 : threads - 1; // ids are only looked at
    this.threads = new EncoderThreads(others, () => startEncoder({ file, hash, core, options: how }));
    yield* encodeDocuments(this.kept(this.filters), createRowEncoder(tokenizer, how), this.threads);
  }

  /**
   * Wrong rows, and the documents that the filters keep, without those that were written before an interruption. Rows of
   * JSON are left to threads once neither filters nor the count of what was written look into them.
   */
  private async *kept(filters: Filters): AsyncGenerator<Read> {
    const numWritten = this.state?.documents ?? 0;
    const rows = readUnparsedRows(this.options.sources, {
      prefer: this.prefer,
      onFile: (report) => this.files.push(report),
      onNote: (file, text) => this.notes.add(file, text),
      onBytes: (bytes) => (this.bytesRead += bytes),
    });
    let number = 0;
    for await (const row of rows) {
      this.options.signal?.throwIfAborted();
      if ('json' in row && filters.areNone && number >= numWritten) {
        yield row;
        continue;
      }
      const read = 'json' in row ? parsed(row) : row;
      const reason = 'reason' in read ? undefined : filters.objection(read);
      if (reason !== undefined) this.dropped.add({ ...(read as Document).place, reason });
      else if ('reason' in read || ++number > numWritten) yield read;
      else this.progress();
    }
  }

  /** Writes what became of a document, or tells what is wrong with it. */
  private async take(one: Encoded): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (!('encoded' in one)) return this.wrongRows.add(one.read);
    const { read, encoded } = one;
    const { parts, problem, notes, found, hash } = encoded;
    if ('json' in read) read.tell(found!);
    if (found && 'problem' in found) return this.wrongRows.add({ ...read.place, reason: found.problem });
    for (const text of notes) this.encoderNotes.add(read.place.file, text);
    if (problem !== undefined) this.addWrongEncoded({ ...read.place, reason: problem });
    const isHeld = this.limit > 0 && hash < this.limit;
    for (const part of parts) await this.write(this.splits[isHeld ? 1 : 0]!, part, read.place);
    this.numDone++;
    await this.checkpoint();
  }

  private async write(split: Split, { ids, mask, isClosed }: EncodedPart, place: Place): Promise<void> {
    if (ids.length > 0 && split.writer.fits(ids.length)) return split.add(ids, mask, isClosed);
    const reason = ids.length === 0 ? 'the text gives no tokens' : `${ids.length} tokens do not fit a record batch`;
    this.addWrongEncoded({ ...place, reason });
  }

  private addWrongEncoded(row: WrongRow): void {
    this.wrongRows.add(row);
    if (this.wrongEncoded.length <= MAX_WRONG_ROWS) this.wrongEncoded.push(row);
  }

  /** After enough tokens, notes that the documents so far are done. */
  private async checkpoint(): Promise<void> {
    const { out, checkpointTokens = CHECKPOINT_TOKENS } = this.options;
    const isDue = this.numTokens() - this.tokensAtCheckpoint >= checkpointTokens;
    if (!isDue || this.identity.hash === undefined) return;
    this.tokensAtCheckpoint = this.numTokens();
    const splits: ResumeState['splits'] = {};
    for (const { writer, report } of this.splits) {
      splits[report.folder] = { writer: await writer.checkpoint(), report: { ...report } };
    }
    if (this.wrongEncoded.length > MAX_WRONG_ROWS) return;
    const { numDone: documents, wrongEncoded: wrongRows } = this;
    const notes = this.encoderNotes.list();
    writeResumeState(out, { fingerprint: this.identity.hash, documents, splits, wrongRows, notes });
    this.hasCheckpoint = true;
  }

  private numTokens(): number {
    return this.splits.reduce((total, { report }) => total + report.tokens, 0);
  }

  private closeLists(): void {
    for (const list of [this.wrongRows, this.dropped, this.filters]) list?.close();
  }

  private progress(isLast = false): void {
    const now = performance.now();
    if (!this.onProgress || (!isLast && now - this.lastProgress < PROGRESS_EVERY_MS)) return;
    this.lastProgress = now;
    this.onProgress({
      documents: this.splits.reduce((total, { report }) => total + report.documents, 0),
      tokens: this.numTokens(),
      wrongRows: this.wrongRows.count,
      bytesRead: this.bytesRead,
      bytesTotal: this.identity.bytesTotal,
      seconds: (now - this.started) / 1000,
    });
  }

  private async finish(): Promise<PrepareReport> {
    const { out, tokenizer, as = 'text', seed = 0, heldOut = DEFAULT_HELD_OUT } = this.options;
    const [train, held] = this.splits.map(({ report }) => report);
    if (train!.documents === 0) {
      await Promise.all(this.splits.map(({ writer }) => writer.abandon()));
      const [example] = [...this.wrongRows.report().examples, ...this.dropped.report().examples];
      const kept =
        held!.documents > 0 ? `: all ${held!.documents} were held out; give more documents, or lower heldOut` : '';
      const sources = this.options.sources.map((source) => (typeof source === 'string' ? source : source.path));
      throw new SourceError(
        `${named(sources)}: expected documents to train on, received none${example ? `; the first wrong row is ${example}` : kept}`,
      );
    }
    copyTokenizer(tokenizer.folder, path.join(out, 'tokenizer'));
    for (const { writer } of this.splits) await writer.finish();
    const seconds = (performance.now() - this.started) / 1000;
    const filters = this.filters?.report();
    const report: PrepareReport = {
      format: 'lethe-prepare',
      version: 1,
      fingerprint: this.identity.hash,
      as,
      tokenizer: { hash: tokenizer.hash, vocabSize: tokenizer.vocabSize, core: tokenizer.core },
      seed,
      heldOut,
      files: this.files,
      wrongRows: this.wrongRows.report(),
      ...(filters ? { filters } : {}),
      notes: [...this.notes.list(), ...this.encoderNotes.list()],
      splits: held ? { train: train!, heldout: held } : { train: train! },
      bytesRead: this.bytesRead,
      seconds,
      threads: 1 + this.threads!.count,
      bytesPerSecond: this.bytesRead / seconds,
      tokensPerSecond: this.numTokens() / seconds,
    };
    writeFileAtomically(path.join(out, 'prepare.json'), `${JSON.stringify(report, null, 2)}\n`);
    await removeResumeState(out);
    this.progress(true);
    return report;
  }
}
