import type { Place } from '../documents/document.js';

/** Places of documents by number, in 8 bytes each and each file's name once. */
export class PlaceList {
  private readonly files: string[] = [];
  private readonly fileNumbers = new Map<string, number>();
  private entries = new Uint32Array(2048);
  length = 0;

  get bytes(): number {
    return this.entries.byteLength;
  }

  add({ file, line }: Place): number {
    if (2 * this.length === this.entries.length) {
      const longer = new Uint32Array(2 * this.entries.length);
      longer.set(this.entries);
      this.entries = longer;
    }
    let number = this.fileNumbers.get(file);
    if (number === undefined) {
      number = this.files.push(file) - 1;
      this.fileNumbers.set(file, number);
    }
    this.entries.set([number, line], 2 * this.length);
    return this.length++;
  }

  /** As `file:line`. */
  at(number: number): string {
    return `${this.files[this.entries[2 * number]!]}:${this.entries[2 * number + 1]}`;
  }
}
