import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { smallTokenizer, sampleTexts } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import type { Document, Place } from '../documents/document.js';
import { ForeignValue } from '../documents/foreign-value.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { encodeDocuments, type Read } from './encode-documents.js';
import { createRowEncoder, type RowEncoding } from './encode-rows.js';
import type { EncoderReply } from './encoder-messages.js';
import { EncoderThreads, type StartedEncoder } from './encoder-threads.js';
import { runEncoder } from './run-encoder.js';

const folder = temporaryFolder();
let tokenizer: Tokenizer;

beforeAll(async () => {
  tokenizer = await smallTokenizer(path.join(folder.path, 'tokenizer'));
});

/** Rows of 4000 of whose JSON half is missing: 7, 96, 185... where a third is JSON, and no other row is wrong. */
const NUM_BROKEN = Array.from({ length: 4000 }, (_, i) => i).filter(
  (i) => i % 97 !== 5 && i % 3 === 1 && i % 89 === 7,
).length;

const TEMPLATE =
  "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' ~ m.content ~ (m.when or '') ~ '</s>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const BASIS: RowEncoding = {
  as: 'text',
  seed: 1,
  addSpecialTokens: true,
  answers: 'all',
  specialTokens: 'text',
  hasMask: false,
};
const HOW: Record<string, RowEncoding> = {
  text: BASIS,
  chat: { ...BASIS, as: 'chat', chatTemplate: TEMPLATE },
};

/** A stand-in for a thread: the same messages, in this one. */
function start(options: RowEncoding, ended: string[] = [], hash = tokenizer.hash): StartedEncoder {
  const { port1, port2 } = new MessageChannel();
  void runEncoder(port2, { file: tokenizer.file, hash, core: tokenizer.core, options });
  const end = (): void => {
    ended.push('ended');
    port1.close();
  };
  return { port: port1, end };
}

/** Texts and conversations, some without an answer, some as JSON, with wrong rows and dates in between. */
async function* reads(count = 4000): AsyncGenerator<Read> {
  const texts = sampleTexts(200);
  for (let i = 0; i < count; i++) {
    const place = { file: 'a.jsonl', line: i + 1 };
    const content = `${i} ${texts[i % 200]!.slice(0, 30)}`;
    const keys = i % 7 === 0 ? { keys: { when: new ForeignValue('datetime', '2026-01-01') } } : {};
    if (i % 97 === 5) yield { ...place, reason: 'not valid JSON' };
    else if (i % 3 === 1) yield jsonRow(i % 89 === 7 ? '{"text": ' : JSON.stringify(rowOf(i, content)), place);
    else if (i % 5 === 0) yield { text: content, place };
    else if (i % 11 === 0) yield { turns: [{ role: 'user', content }], place };
    else
      yield {
        turns: [
          { role: 'user', content },
          { role: 'assistant', content: `so ${content}`, ...keys },
        ],
        place,
      };
  }
}

/** A row of text or of a pair; of a pair, the weight is not used. */
const rowOf = (i: number, content: string): unknown =>
  i % 2 === 0 ? { text: content } : { question: content, answer: `so ${content}`, weight: 2 };

const jsonRow = (text: string, place: Place): Read => ({ json: Buffer.from(text), place, tell: () => undefined });

/** Everything in order, ids as numbers, and how many threads took part. */
async function all(options: RowEncoding, most: number): Promise<{ found: string[]; count: number; ended: string[] }> {
  const ended: string[] = [];
  const threads = new EncoderThreads(most, () => start(options, ended), 2 ** 10);
  const found: string[] = [];
  for await (const one of encodeDocuments(reads(), createRowEncoder(tokenizer, options), threads)) {
    if (!('encoded' in one)) found.push(JSON.stringify([[one.read.line, one.read.reason]]));
    else {
      const { parts, ...rest } = one.encoded;
      const numbers = parts.map(({ ids, mask, isClosed }) => [[...ids], mask && [...mask], isClosed]);
      found.push(JSON.stringify([[one.read.place.line], numbers, rest]));
    }
  }
  return { found, count: threads.count, ended };
}

describe.each(Object.keys(HOW))('%s', (kind) => {
  it('is encoded alike by any number of threads, in order, wrong rows in between', async () => {
    const one = await all(HOW[kind]!, 0);
    expect(one.found).toHaveLength(4000);
    expect(one.found.map((text) => (JSON.parse(text) as [[number]])[0][0])).toEqual(one.found.map((_, i) => i + 1));
    const three = await all(HOW[kind]!, 2);
    expect(one.count).toBe(0);
    expect(one.found.filter((text) => text.includes('not valid JSON: '))).toHaveLength(NUM_BROKEN);
    expect(one.found.filter((text) => text.includes('"unused":["weight"]')).length).toBeGreaterThan(500);
    expect(three.count).toBeGreaterThan(0);
    expect(three.found).toEqual(one.found);
    expect(three.ended).toHaveLength(three.count);
  });
});

describe('threads', () => {
  it('are not started for little', async () => {
    const threads = new EncoderThreads(3, () => start(BASIS));
    let number = 0;
    for await (const _ of encodeDocuments(reads(), createRowEncoder(tokenizer, BASIS), threads)) number++;
    expect([number, threads.count]).toEqual([4000, 0]);
  });

  it('are ended when nobody wants more', async () => {
    const ended: string[] = [];
    const threads = new EncoderThreads(1, () => start(BASIS, ended), 1);
    for await (const _ of encodeDocuments(reads(), createRowEncoder(tokenizer, BASIS), threads)) break;
    expect(ended).toEqual(['ended']);
  });

  it('fail the work where their tokenizer is another one by now', async () => {
    const threads = new EncoderThreads(1, () => start(BASIS, [], 'another'), 1);
    // As slowly as from a disk: a thread that has nothing to do any more says nothing.
    const slowly = async function* (): AsyncGenerator<Read> {
      for await (const read of reads()) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        yield read;
      }
    };
    const work = async (): Promise<void> => {
      for await (const _ of encodeDocuments(slowly(), createRowEncoder(tokenizer, BASIS), threads));
    };
    await expect(work()).rejects.toThrow('tokenizer.json: has changed since the preparation began');
  });

  it('fail the documents that they cannot encode, and those that wait for a thread that is gone', async () => {
    const { port1, port2 } = new MessageChannel();
    const say = (reply: EncoderReply): void => port2.postMessage(reply);
    const threads = new EncoderThreads(1, () => ({ port: port1, end: () => port1.close() }), 1);
    const document: Document = { text: 'a', place: { file: 'a', line: 1 } };
    expect(threads.encode([document], 1)).toBeUndefined(); // none yet
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    say({ kind: 'ready' });
    await turn();
    const first = threads.encode([document], 1)!;
    const second = threads.encode([document], 1)!;
    expect(threads.encode([document], 1)).toBeUndefined(); // it has enough
    say({ kind: 'failed', message: 'no unknown token', isExpected: false });
    await expect(first).rejects.toThrow('no unknown token');
    port1.emit('exit', 1);
    await expect(second).rejects.toThrow('a thread that tokenizes has ended with 1');
    expect(() => threads.encode([document], 1)).toThrow('has ended with 1');
    threads.close();
  });
});
