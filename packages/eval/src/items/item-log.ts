import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError, writing } from '@lethe/run';
import type { EvalItem } from './eval-item.js';

/**
 * Items of an evaluation, or answers and judgements that items are made of, a line each, written as they are done, so
 * that an interrupted evaluation goes on. The first line says what was evaluated how; a line that was cut off in the
 * middle is dropped.
 */
export class ItemLog<T extends { id: string } = EvalItem> {
  private readonly items = new Map<string, T>();

  private constructor(private readonly file: string) {}

  /** Opens a log, or begins it. @throws UserError where it is of another evaluation, or a line cannot be read. */
  static open<T extends { id: string } = EvalItem>(file: string, header: Record<string, unknown>): ItemLog<T> {
    const log = new ItemLog<T>(file);
    const first = JSON.stringify(header);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const end = text.lastIndexOf('\n') + 1;
    const [found, ...lines] = text.slice(0, end).split('\n').slice(0, -1);
    if (found === undefined) {
      mkdirSync(dirname(file), { recursive: true });
      writing(file, () => writeFileSync(file, `${first}\n`));
      return log;
    }
    if (found !== first)
      throw new UserError(`${file}:1: items of another evaluation; delete it to evaluate anew\n  ${found}`);
    if (end < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, end)));
    lines.forEach((line, i) => log.keep(line, i + 2));
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
    const line = `${JSON.stringify(item)}\n`;
    writing(this.file, () => appendFileSync(this.file, line), Buffer.byteLength(line));
    this.items.set(item.id, item);
  }

  private keep(line: string, number: number): void {
    try {
      const item = JSON.parse(line) as T & { score?: unknown; text?: unknown };
      if (typeof item.id !== 'string') throw new TypeError('no id');
      if (typeof item.score !== 'number' && typeof item.text !== 'string') throw new TypeError('no score, no text');
      this.items.set(item.id, item);
    } catch (cause) {
      const { message } = cause as Error;
      throw new UserError(`${this.file}:${number}: not an item (${message}); delete the file to evaluate anew`, {
        cause,
      });
    }
  }
}
