import { SourceError, type WrongRow } from '../documents/document.js';
import { ListFile } from '../shards/list-file.js';
import type { PrepareReport } from './prepare-options.js';

const MAX_EXAMPLES = 20;
const MAX_REASONS = 50;

/** Counts wrong rows, keeps examples, and writes every one to a JSONL file (which exists only if there are any). */
export class WrongRows {
  count = 0;
  private readonly reasons = new Map<string, number>();
  private readonly examples: string[] = [];
  private readonly list: ListFile;

  constructor(
    file: string,
    private readonly isStrict: boolean,
  ) {
    this.list = new ListFile(file);
  }

  /** @throws SourceError in strict mode. */
  add(row: WrongRow): void {
    const text = `${row.file}:${row.line}: ${row.reason}`;
    if (this.isStrict) throw new SourceError(`${text}; correct the row or read without strict`);
    this.count++;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(text);
    if (this.reasons.size < MAX_REASONS || this.reasons.has(row.reason)) {
      this.reasons.set(row.reason, (this.reasons.get(row.reason) ?? 0) + 1);
    }
    this.list.add(row);
  }

  /** What prepare.json says about them. */
  report(): PrepareReport['wrongRows'] {
    const reasons = Object.fromEntries([...this.reasons].sort((a, b) => b[1] - a[1]));
    return { count: this.count, reasons, examples: this.examples };
  }

  close(): void {
    this.list.close();
  }
}
