import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { writing } from '@lethe/run';

const KEPT_BYTES = 2 ** 16;

/** A JSONL file of what is told beside shards; it is begun with the first line. */
export class ListFile {
  private handle: number | undefined;
  private lines: string[] = [];
  private kept = 0;

  constructor(readonly file: string) {}

  /** Adds a line. @throws WriteError where the system refuses. */
  add(value: unknown): void {
    this.handle ??= writing(this.file, () => openSync(this.file, 'w'));
    const line = `${JSON.stringify(value)}\n`;
    this.lines.push(line);
    this.kept += line.length;
    if (this.kept >= KEPT_BYTES) this.flush();
  }

  /** Writes the rest and waits until all is on the disk. @throws WriteError; the file is closed also then. */
  close(): void {
    const { handle } = this;
    if (handle === undefined) return;
    try {
      this.flush();
      writing(this.file, () => fsyncSync(handle));
    } finally {
      closeSync(handle);
      this.handle = undefined;
    }
  }

  private flush(): void {
    const bytes = Buffer.from(this.lines.join(''));
    [this.lines, this.kept] = [[], 0];
    for (let done = 0; done < bytes.length;)
      done += writing(this.file, () => writeSync(this.handle!, bytes, done), bytes.length);
  }
}
