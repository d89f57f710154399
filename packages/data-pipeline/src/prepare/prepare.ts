import { copyFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { SourceError } from '../documents/document.js';
import { readDocuments, type FileReport } from '../documents/read-documents.js';
import type { Preference } from '../documents/columns.js';
import { ShardWriter, type ShardWriterOptions } from '../shards/shard-writer.js';
import { writeFileAtomic } from '../shards/write-file-atomic.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { encodeDocuments, type EncodedDocument } from './encode-documents.js';
import { findPrepared, fingerprint, type Fingerprint } from './fingerprint.js';
import { documentHash, heldOutLimit } from './held-out.js';
import type {
  HeldOut,
  PrepareOptions,
  PrepareProgress,
  PrepareReport,
  PrepareResult,
  SplitReport,
} from './prepare-options.js';
import { WrongRows } from './wrong-rows.js';

const DEFAULT_HELD_OUT: HeldOut = { fraction: 0.01 };
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
const PROGRESS_EVERY_MS = 200;

/**
 * Turns sources into shards: `out/train`, `out/heldout`, a copy of the tokenizer, and `prepare.json`, written last.
 * The same preparation is not done twice. Memory is bounded whatever the size of the sources.
 * @throws SourceError, TokenizerError, ShardError, or the signal's reason; the folder then holds no finished shards.
 */
export async function prepare(
  options: PrepareOptions,
  onProgress?: (progress: PrepareProgress) => void,
): Promise<PrepareResult> {
  const identity = await fingerprint(options);
  const known = options.force ? undefined : await findPrepared(options.out, identity.hash);
  if (known) return { report: known, isSkipped: true };
  const report = await new Preparation(options, identity, onProgress).run();
  return { report, isSkipped: false };
}

/** One split while it is written. */
interface Split {
  writer: ShardWriter;
  report: SplitReport;
}

class Preparation {
  private readonly started = performance.now();
  private readonly wrongRows: WrongRows;
  private readonly files: FileReport[] = [];
  private bytesRead = 0;
  private lastProgress = 0;

  constructor(
    private readonly options: PrepareOptions,
    private readonly identity: Fingerprint,
    private readonly onProgress: ((progress: PrepareProgress) => void) | undefined,
  ) {
    this.wrongRows = new WrongRows(path.join(options.out, 'wrong-rows.jsonl'), options.strict ?? false);
  }

  async run(): Promise<PrepareReport> {
    const { options } = this;
    const { out, heldOut = DEFAULT_HELD_OUT, seed = 0 } = options;
    const hasMask = await this.findMask();
    const writerOptions = this.writerOptions(hasMask);
    if ('documents' in heldOut && this.identity.bytesTotal === undefined) {
      throw new SourceError(
        'heldOut: a number of documents needs two passes, and standard input can be read once; give a fraction',
      );
    }
    const limit = await heldOutLimit(heldOut, seed, () => readDocuments(options.sources, this.prefer()));
    await mkdir(out, { recursive: true });
    for (const stale of ['prepare.json', 'wrong-rows.jsonl', 'heldout']) {
      await rm(path.join(out, stale), { recursive: true, force: true });
    }
    const train = await this.openSplit('train', writerOptions);
    const held = limit > 0 ? await this.openSplit('heldout', writerOptions) : undefined;
    try {
      for await (const encoded of this.encoded(hasMask)) {
        const split = held && documentHash(encoded.document, seed) < limit ? held : train;
        await this.write(split, encoded);
        this.progress([train, held]);
      }
    } catch (error) {
      await Promise.all([train.writer.abandon(), held?.writer.abandon(), this.wrongRows.close()]);
      throw error;
    }
    await this.wrongRows.close();
    return this.finish(train, held);
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

  private async openSplit(folder: string, options: ShardWriterOptions): Promise<Split> {
    const writer = await ShardWriter.create(path.join(this.options.out, folder), options);
    return { writer, report: { folder, documents: 0, tokens: 0, targets: 0 } };
  }

  private prefer(): { prefer: Preference } {
    return { prefer: ({ text: 'text', chat: 'turns', ids: 'ids' } as const)[this.options.as ?? 'text'] };
  }

  /** Whether documents have a mask: conversations do; for ids the first row tells. */
  private async findMask(): Promise<boolean> {
    if (this.options.as !== 'ids') return this.options.as === 'chat';
    if (this.identity.bytesTotal === undefined) return false;
    for await (const document of readDocuments(this.options.sources, this.prefer())) return 'mask' in document;
    return false;
  }

  private encoded(hasMask: boolean): AsyncGenerator<EncodedDocument> {
    const { sources, tokenizer, as = 'text', template, chatTemplate, addSpecialTokens = true } = this.options;
    const documents = readDocuments(sources, {
      ...this.prefer(),
      onWrongRow: (row) => this.wrongRows.add(row),
      onFile: (report) => this.files.push(report),
      onBytes: (bytes) => (this.bytesRead += bytes),
    });
    const onWrongRow = this.wrongRows.add.bind(this.wrongRows);
    return encodeDocuments(documents, { tokenizer, as, template, chatTemplate, addSpecialTokens, hasMask, onWrongRow });
  }

  private async write(split: Split, { document, ids, mask }: EncodedDocument): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (ids.length === 0 || !split.writer.fits(ids.length)) {
      const reason = ids.length === 0 ? 'the text gives no tokens' : `${ids.length} tokens do not fit a record batch`;
      return this.wrongRows.add({ ...document.place, reason });
    }
    const tokens = await split.writer.add(ids, mask);
    split.report.documents++;
    split.report.tokens += tokens;
    split.report.targets += mask ? mask.reduce((total, bit) => total + bit, 0) : tokens - 1;
  }

  private progress(splits: (Split | undefined)[], isLast = false): void {
    const now = performance.now();
    if (!this.onProgress || (!isLast && now - this.lastProgress < PROGRESS_EVERY_MS)) return;
    this.lastProgress = now;
    const sum = (key: 'documents' | 'tokens') => splits.reduce((total, split) => total + (split?.report[key] ?? 0), 0);
    this.onProgress({
      documents: sum('documents'),
      tokens: sum('tokens'),
      wrongRows: this.wrongRows.count,
      bytesRead: this.bytesRead,
      bytesTotal: this.identity.bytesTotal,
      seconds: (now - this.started) / 1000,
    });
  }

  private async finish(train: Split, held: Split | undefined): Promise<PrepareReport> {
    const { out, tokenizer, as = 'text', seed = 0, heldOut = DEFAULT_HELD_OUT } = this.options;
    if (train.report.documents === 0) {
      await Promise.all([train.writer.abandon(), held?.writer.abandon()]);
      const [example] = this.wrongRows.report().examples;
      throw new SourceError(
        `expected documents to train on, received none${example ? `; the first wrong row is ${example}` : ''}`,
      );
    }
    await copyTokenizer(tokenizer.folder, path.join(out, 'tokenizer'));
    await train.writer.finish();
    await held?.writer.finish();
    const seconds = (performance.now() - this.started) / 1000;
    const tokens = train.report.tokens + (held?.report.tokens ?? 0);
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
      splits: held ? { train: train.report, heldout: held.report } : { train: train.report },
      bytesRead: this.bytesRead,
      seconds,
      bytesPerSecond: this.bytesRead / seconds,
      tokensPerSecond: tokens / seconds,
    };
    await writeFileAtomic(path.join(out, 'prepare.json'), `${JSON.stringify(report, null, 2)}\n`);
    this.progress([train, held], true);
    return report;
  }
}

async function copyTokenizer(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of TOKENIZER_FILES) {
    if (path.resolve(from) === path.resolve(to)) return;
    await copyFile(path.join(from, name), path.join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
