import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { sampleTexts, smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { inspectShards } from './inspect-shards.js';
import type { PrepareOptions, PrepareReport } from './prepare-options.js';
import { prepare } from './prepare.js';

const folder = temporaryFolder();
const at = (...name: string[]) => path.join(folder.path, ...name);
let common: Omit<PrepareOptions, 'out'>;
let tokenizer: Tokenizer;

beforeAll(async () => {
  tokenizer = await smallTokenizer(at('tokenizer'));
  const texts = sampleTexts(1000);
  const rows = texts.map((_, i) => {
    if (i % 100 === 7) return '{"text": ""}';
    if (i % 100 === 9) return JSON.stringify({ messages: [{ role: 'user', content: `no answer ${i}` }] });
    return JSON.stringify({ question: texts[i % 50 === 3 ? 0 : i], answer: 'yes' });
  });
  const sources = [
    folder.file('a.jsonl', rows.slice(0, 400).join('\n')),
    folder.file('b.jsonl', rows.slice(400).join('\n')),
  ];
  const filters = { exactDuplicates: true } as const;
  const sizes = { checkpointTokens: 8000, batchBytes: 8000, shardBytes: 60_000 };
  common = { sources, tokenizer, as: 'chat', heldOut: { fraction: 0.1 }, filters, ...sizes };
});

/** Everything a preparation wrote, but for times. */
function written(out: string): Record<string, unknown> {
  const files = ['train', 'heldout'].flatMap((split) => readdirSync(at(out, split)).map((name) => `${split}/${name}`));
  const bytes = Object.fromEntries(files.map((file) => [file, readFileSync(at(out, file)).toString('base64')]));
  const report = JSON.parse(readFileSync(at(out, 'prepare.json'), 'utf8')) as PrepareReport;
  const { seconds: _s, bytesPerSecond: _b, tokensPerSecond: _t, wrongRows, ...rest } = report;
  const wrong = { count: wrongRows.count, reasons: wrongRows.reasons, examples: wrongRows.examples.length };
  return { ...bytes, report: { ...rest, wrong } };
}

/** Prepares until so many documents have passed by. */
async function interrupted(out: string, documents: number): Promise<void> {
  let numAsked = 0;
  const throwIfAborted = () => {
    if (++numAsked > 2 * documents) throw new Error('stopped by the user');
  };
  const signal = { throwIfAborted } as AbortSignal;
  await expect(prepare({ ...common, out: at(out), signal })).rejects.toThrow('stopped by the user');
  expect(existsSync(at(out, 'train/index.json'))).toBe(false);
}

describe('an interrupted preparation', () => {
  beforeAll(async () => {
    expect((await prepare({ ...common, out: at('whole') })).numResumed).toBe(0);
    expect(existsSync(at('whole/prepare-state.json'))).toBe(false);
  });

  it('goes on after its last checkpoint and ends the same', async () => {
    await interrupted('stopped', 700);
    const { numResumed, report } = await prepare({ ...common, out: at('stopped') });
    expect(numResumed).toBeGreaterThan(100);
    expect(report.wrongRows.count).toBe(20);
    expect(written('stopped')).toEqual(written('whole'));
    expect((await inspectShards(at('stopped/train'), { tokenizer })).problems).toEqual([]);
    expect((await prepare({ ...common, out: at('stopped') })).isSkipped).toBe(true);
  });

  it('goes on more than once', async () => {
    await interrupted('twice', 400);
    await interrupted('twice', 400);
    await prepare({ ...common, out: at('twice') });
    expect(written('twice')).toEqual(written('whole'));
  });

  it('starts anew for other options, by force, and before the first checkpoint', async () => {
    await interrupted('other', 700);
    expect((await prepare({ ...common, seed: 1, out: at('other') })).numResumed).toBe(0);
    await interrupted('forced', 700);
    expect((await prepare({ ...common, force: true, out: at('forced') })).numResumed).toBe(0);
    expect(written('forced')).toEqual(written('whole'));
    await interrupted('early', 10);
    expect(existsSync(at('early/train'))).toBe(false);
  }, 30_000);

  it('names files that have lost what the checkpoint says', async () => {
    await interrupted('lost', 700);
    truncateSync(at('lost/train/lengths.bin'), 4);
    await expect(prepare({ ...common, out: at('lost') })).rejects.toThrow(
      /lengths\.bin: expected \d+ bytes to go on after, received 4; prepare with --force/,
    );
  });
});
