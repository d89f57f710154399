import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Exchange } from './exchange.js';

/** A response whose client takes every piece at once: Node tells so before the event loop has turned. */
class TakenAtOnce extends EventEmitter {
  headersSent = false;
  readonly destroyed = false;
  readonly writableFinished = true;
  text = '';

  writeHead(): void {
    this.headersSent = true;
  }

  write(text: string): boolean {
    this.text += text;
    process.nextTick(() => this.emit('drain'));
    return false;
  }

  end(text: string): void {
    this.text += text;
  }
}

it('a long answer gives others a turn after every piece, also where its client takes each at once', async () => {
  const response = new TakenAtOnce();
  const exchange = new Exchange({} as IncomingMessage, response as unknown as ServerResponse);
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await exchange.sendPieces(Array<string>(20).fill('x'.repeat(1 << 16)));
  isOver = true;
  expect(response.text).toHaveLength(20 << 16);
  expect(turns).toBeGreaterThanOrEqual(19);
});
