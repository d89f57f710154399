import path from 'node:path';
import { makeFolder, writeFileAtomically } from '@lethe/run';
import type { Preference } from '../documents/columns.js';
import { SourceError, type Document, type WrongRow } from '../documents/document.js';
import { readDocuments, type FileReport, type ReadDocumentsOptions } from '../documents/read-documents.js';
import { Filters } from '../filters/filter-documents.js';
import type { ShardWriterOptions } from '../shards/shard-writer.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { encodeDocuments, type EncodedDocument } from './encode-documents.js';
import type { Fingerprint } from './fingerprint.js';
import { documentHash, heldOutLimit } from './held-out.js';
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

/** One run of `prepare`, from the sources to prepare.json. */
export class Preparation {
  private readonly started = performance.now();
  private readonly wrongRows: WrongRows;
  private readonly dropped: WrongRows;
  private readonly files: FileReport[] = [];
  private filters: Filters | undefined;
  private splits: Split[] = [];
  /** The number of each document on its way through the encoder, from 1. */
  private readonly numbers = new WeakMap<Document, number>();
  private readonly wrongEncoded: { number: number; row: WrongRow }[] = [];
  private readonly notes = new Notes();
  /** What the encoder told, by the number of its document. */
  private readonly encoderNotes: { number: number; file: string; text: string }[] = [];
  private readonly earlierNotes: Notes;
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
    this.earlierNotes = new Notes(state?.notes);
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
    const limit = await heldOutLimit(heldOut, seed, () => this.countable());
    makeFolder(out);
    try {
      await this.openSplits(limit > 0 ? ['train', 'heldout'] : ['train'], writerOptions);
      for await (const encoded of this.encoded(hasMask)) {
        const isHeld = this.splits.length > 1 && documentHash(encoded.document, seed) < limit;
        await this.write(this.splits[isHeld ? 1 : 0]!, encoded);
        if (!encoded.isPart) await this.checkpoint(this.numbers.get(encoded.document)!);
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
    for (const row of this.state?.wrongRows ?? []) this.addWrongEncoded(row, 0);
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
      yield* filters.apply(this.documents(), () => undefined);
    } finally {
      filters.close();
    }
  }

  private documents(told: ReadDocumentsOptions = {}): AsyncGenerator<Document> {
    const prefer: Preference = ({ text: 'text', chat: 'turns', ids: 'ids' } as const)[this.options.as ?? 'text'];
    return readDocuments(this.options.sources, { prefer, ...told });
  }

  /** Whether documents have a mask: conversations do; for ids the first row tells. */
  private async findMask(): Promise<boolean> {
    if (this.options.as !== 'ids') return this.options.as === 'chat';
    if (this.identity.bytesTotal === undefined) return false;
    for await (const document of this.documents()) return 'mask' in document;
    return false;
  }

  private async *encoded(hasMask: boolean): AsyncGenerator<EncodedDocument> {
    const { tokenizer, out, as = 'text', template, chatTemplate, addSpecialTokens = true } = this.options;
    const { answers = 'all', specialTokens = 'text' } = this.options;
    this.filters = await Filters.open(this.options.filters ?? {}, out, template);
    const onWrongRow = (row: WrongRow, document: Document) => this.addWrongEncoded(row, this.numbers.get(document)!);
    const onNote = (file: string, text: string, document: Document) => {
      // Without checkpoints there is nothing to wait for.
      if (this.identity.hash === undefined) this.notes.add(file, text);
      else this.encoderNotes.push({ number: this.numbers.get(document)!, file, text });
    };
    const how = { as, template, chatTemplate, addSpecialTokens, answers, specialTokens, hasMask };
    const encoding = { tokenizer, ...how, onWrongRow, onNote };
    yield* encodeDocuments(this.numbered(this.filters), encoding);
  }

  /** The documents that the filters keep, without those that were written before an interruption. */
  private async *numbered(filters: Filters): AsyncGenerator<Document> {
    const documents = this.documents({
      onWrongRow: (row) => this.wrongRows.add(row),
      onFile: (report) => this.files.push(report),
      onNote: (file, text) => this.notes.add(file, text),
      onBytes: (bytes) => (this.bytesRead += bytes),
    });
    let number = 0;
    for await (const document of filters.apply(documents, (row) => this.dropped.add(row))) {
      this.options.signal?.throwIfAborted();
      if (++number <= (this.state?.documents ?? 0)) {
        this.progress();
        continue;
      }
      this.numbers.set(document, number);
      yield document;
    }
  }

  private async write(split: Split, { document, ids, mask, isClosed }: EncodedDocument): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (ids.length > 0 && split.writer.fits(ids.length)) return split.add(ids, mask, isClosed);
    const reason = ids.length === 0 ? 'the text gives no tokens' : `${ids.length} tokens do not fit a record batch`;
    this.addWrongEncoded({ ...document.place, reason }, this.numbers.get(document)!);
  }

  private addWrongEncoded(row: WrongRow, number: number): void {
    this.wrongRows.add(row);
    if (this.wrongEncoded.length <= MAX_WRONG_ROWS) this.wrongEncoded.push({ number, row });
  }

  /** After enough tokens, notes that the documents up to this one are done. */
  private async checkpoint(documents: number): Promise<void> {
    const { out, checkpointTokens = CHECKPOINT_TOKENS } = this.options;
    const isDue = this.numTokens() - this.tokensAtCheckpoint >= checkpointTokens;
    if (!isDue || this.identity.hash === undefined) return;
    this.tokensAtCheckpoint = this.numTokens();
    const splits: ResumeState['splits'] = {};
    for (const { writer, report } of this.splits) {
      splits[report.folder] = { writer: await writer.checkpoint(), report: { ...report } };
    }
    if (this.wrongEncoded.length > MAX_WRONG_ROWS) return;
    const wrongRows = this.wrongEncoded.filter(({ number }) => number <= documents).map(({ row }) => row);
    this.settleNotes(documents);
    const notes = this.earlierNotes.list();
    writeResumeState(out, { fingerprint: this.identity.hash, documents, splits, wrongRows, notes });
    this.hasCheckpoint = true;
  }

  /** Counts what the encoder told of the documents up to this one, which a checkpoint holds. */
  private settleNotes(documents: number): void {
    const isSettled = ({ number }: { number: number }) => number <= documents;
    for (const { file, text } of this.encoderNotes.filter(isSettled)) this.earlierNotes.add(file, text);
    const later = this.encoderNotes.filter((note) => !isSettled(note));
    this.encoderNotes.splice(0, this.encoderNotes.length, ...later);
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
      const kept = held!.documents > 0 ? `: all ${held!.documents} were held out; lower heldOut` : '';
      throw new SourceError(
        `expected documents to train on, received none${example ? `; the first wrong row is ${example}` : kept}`,
      );
    }
    copyTokenizer(tokenizer.folder, path.join(out, 'tokenizer'));
    for (const { writer } of this.splits) await writer.finish();
    const seconds = (performance.now() - this.started) / 1000;
    const filters = this.filters?.report();
    this.settleNotes(Infinity);
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
      notes: [...this.notes.list(), ...this.earlierNotes.list()],
      splits: held ? { train: train!, heldout: held } : { train: train! },
      bytesRead: this.bytesRead,
      seconds,
      bytesPerSecond: this.bytesRead / seconds,
      tokensPerSecond: this.numTokens() / seconds,
    };
    writeFileAtomically(path.join(out, 'prepare.json'), `${JSON.stringify(report, null, 2)}\n`);
    await removeResumeState(out);
    this.progress(true);
    return report;
  }
}
