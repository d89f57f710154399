import path from 'node:path';
import { ShardWriter, type ShardWriterOptions } from '../shards/shard-writer.js';
import type { WriterState } from '../shards/writer-state.js';
import type { SplitReport } from './prepare-options.js';

/** One split while it is written. */
export class Split {
  private constructor(
    readonly writer: ShardWriter,
    readonly report: SplitReport,
  ) {}

  /** Starts a split, or goes on with one from a checkpoint. */
  static async open(
    out: string,
    folder: string,
    options: ShardWriterOptions,
    state?: { writer: WriterState; report: SplitReport },
  ): Promise<Split> {
    const at = path.join(out, folder);
    if (state) return new Split(await ShardWriter.resume(at, options, state.writer), { ...state.report });
    return new Split(await ShardWriter.create(at, options), { folder, documents: 0, tokens: 0, targets: 0 });
  }

  /** Adds a document and counts it. @throws ShardError as the writer. */
  async add(ids: Int32Array, mask?: Uint8Array, isClosed = false): Promise<void> {
    const tokens = await this.writer.add(ids, mask, isClosed);
    this.report.documents++;
    this.report.tokens += tokens;
    this.report.targets += mask ? mask.reduce((total, bit) => total + bit, 0) : tokens - 1;
  }
}
