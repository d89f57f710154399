import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, openLine, sealLine, setAside, UserError, writeText, writing } from '@lethe/run';
import type { EvalItem } from './eval-item.js';

/**
 * Items of an evaluation, or answers and judgements that items are made of, a line each, written as they are done, so
 * that an interrupted evaluation goes on. The first line says what was evaluated how; each further one ends with a
 * checksum, and one that was cut off in the middle is dropped.
 */
export class ItemLog<T extends { id: string } = EvalItem> {
  private readonly items = new Map<string, T>();
  private seal = '';

  private constructor(private readonly file: string) {}

  /**
   * Opens a log, or begins it. Where a line was changed, the file is set aside, the lines before go on, and `onDamage` is
   * told: what the others held is done again.
   * @throws UserError where it is of another evaluation, or a line cannot be read and nobody is told.
   */
  static open<T extends { id: string } = EvalItem>(
    file: string,
    header: Record<string, unknown>,
    onDamage?: (warning: string) => void,
  ): ItemLog<T> {
    const log = new ItemLog<T>(file);
    const first = JSON.stringify(header);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const end = text.lastIndexOf('\n') + 1;
    const [found, ...lines] = text.slice(0, end).split('\n').slice(0, -1);
    if (found === undefined) {
      makeFolder(dirname(file));
      writeText(file, `${first}\n`);
      return log;
    }
    if (found !== first)
      throw new UserError(`${file}:1: items of another evaluation; delete it to evaluate anew\n  ${found}`);
    if (end < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, end)));
    for (const [i, line] of lines.entries()) {
      try {
        log.keep(line, i + 2);
      } catch (error) {
        if (!onDamage) throw error;
        const kept = setAside(file);
        writeText(file, [first, ...lines.slice(0, i), ''].join('\n'));
        onDamage(
          `${(error as Error).message}; the file is kept as ${kept}, and its last ${lines.length - i} items are done again`,
        );
        break;
      }
    }
    return log;
  }

  /** Items done so far. */
  get size(): number {
    return this.items.size;
  }

  /** An item by its id; undefined where it is not done. */
  item(id: string): T | undefined {
    return this.items.get(id);
  }

  /** Adds an item that is done. */
  add(item: T): void {
    const { line, seal } = sealLine(JSON.stringify(item), this.seal);
    writing(this.file, () => appendFileSync(this.file, `${line}\n`), Buffer.byteLength(line) + 1);
    this.seal = seal;
    this.items.set(item.id, item);
  }

  private keep(line: string, number: number): void {
    try {
      const { json, seal } = openLine(line, this.seal);
      if (seal === undefined) throw new Error('expected a checksum at its end');
      const item = JSON.parse(json) as T & { score?: unknown; text?: unknown };
      if (typeof item.id !== 'string') throw new TypeError('no id');
      if (typeof item.score !== 'number' && typeof item.text !== 'string') throw new TypeError('no score, no text');
      this.items.set(item.id, item);
      this.seal = seal;
    } catch (cause) {
      const { message } = cause as Error;
      throw new UserError(`${this.file}:${number}: not an item (${message}); delete the file to evaluate anew`, {
        cause,
      });
    }
  }
}
