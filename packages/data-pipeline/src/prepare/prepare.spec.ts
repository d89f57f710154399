import { existsSync, readFileSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { describeWith, realData } from '../../testing/real-data.js';
import { sampleTexts, smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { ShardReader } from '../shards/shard-reader.js';
import { openStream } from '../stream/open-stream.js';
import { mixStreams } from '../stream/mix-streams.js';
import { loadTokenizer } from '../tokenizer/load-tokenizer.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { inspectShards } from './inspect-shards.js';
import type { PrepareOptions, PrepareProgress } from './prepare-options.js';
import { prepare } from './prepare.js';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder.path, name);
const TEXTS = sampleTexts(400);
let tokenizer: Tokenizer;
let file: string;

beforeAll(async () => {
  tokenizer = await smallTokenizer(at('tokenizer'));
  file = folder.file('texts.jsonl', TEXTS.map((text) => JSON.stringify({ text })).join('\n'));
});

async function decodeAll(shards: string): Promise<string[]> {
  const reader = await ShardReader.open(shards);
  const texts: string[] = [];
  for (let i = 0; i < reader.index.documents; i++) texts.push(await tokenizer.decode((await reader.document(i)).ids));
  return texts;
}

function options(out: string, more: Partial<PrepareOptions> = {}): PrepareOptions {
  return { sources: [file], out: at(out), tokenizer, heldOut: { fraction: 0.1 }, ...more };
}

describe('prepare', () => {
  it('puts every document into exactly one split, with BOS and EOS', async () => {
    const { report, isSkipped } = await prepare(options('a'));
    expect(isSkipped).toBe(false);
    const train = await decodeAll(at('a/train'));
    const held = await decodeAll(at('a/heldout'));
    expect([...train, ...held].toSorted()).toEqual(TEXTS.map((text) => `<s>${text}</s>`).toSorted());
    expect(held.length).toBeGreaterThan(20);
    expect(held.length).toBeLessThan(70);
    expect(report.splits.train).toMatchObject({ documents: train.length });
    expect(report.splits.train.targets).toBe(report.splits.train.tokens - train.length);
    expect((await loadTokenizer(at('a/tokenizer'))).hash).toBe(tokenizer.hash);
    expect(JSON.parse(readFileSync(at('a/prepare.json'), 'utf8'))).toEqual(report);
  });

  it('holds out by content and seed, not by order', async () => {
    const reversed = folder.file(
      'reversed.jsonl',
      TEXTS.toReversed()
        .map((text) => JSON.stringify({ text }))
        .join('\n'),
    );
    await prepare(options('b', { sources: [reversed] }));
    await prepare(options('c', { seed: 1 }));
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => decodeAll(at(`${name}/heldout`))));
    expect(b!.toSorted()).toEqual(a!.toSorted());
    expect(c!.toSorted()).not.toEqual(a!.toSorted());
  });

  it('holds out an exact number, or none', async () => {
    const { report } = await prepare(options('d', { heldOut: { documents: 37 } }));
    expect(report.splits.heldout?.documents).toBe(37);
    await prepare(options('d', { heldOut: { fraction: 0 } }));
    expect(existsSync(at('d/heldout'))).toBe(false);
    await expect(prepare(options('d', { heldOut: { documents: 400 } }))).rejects.toThrow(/more than the 400 documents/);
    await expect(prepare(options('d', { heldOut: { fraction: 1 } }))).rejects.toThrow(/below 1, received 1/);
  });

  it('does not do the same work twice, but does changed work', async () => {
    const before = readFileSync(at('a/train/index.json'));
    expect((await prepare(options('a'))).isSkipped).toBe(true);
    expect((await prepare(options('a', { force: true }))).isSkipped).toBe(false);
    expect(readFileSync(at('a/train/index.json'))).toEqual(before);
    utimesSync(file, new Date(), new Date(1_500_000_000_000));
    expect((await prepare(options('a'))).isSkipped).toBe(false);
    expect((await prepare(options('a', { template: '{prompt} {response}' }))).isSkipped).toBe(false);
  });

  it('reports wrong rows with their places, and stops at them when strict', async () => {
    const bad = folder.file(
      'bad.jsonl',
      `${JSON.stringify({ text: TEXTS[0] })}\n{"text": ""}\nnot json\n${JSON.stringify({ text: TEXTS[1] })}\n`,
    );
    const { report } = await prepare(options('e', { sources: [bad], heldOut: { fraction: 0 } }));
    expect(report.splits.train.documents).toBe(2);
    expect(report.wrongRows).toMatchObject({
      count: 2,
      examples: [`${bad}:2: column "text" is empty`, expect.stringContaining(`${bad}:3: not valid JSON`)],
    });
    const lines = readFileSync(at('e/wrong-rows.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([2, 3]);
    await expect(prepare(options('e', { sources: [bad], strict: true, force: true }))).rejects.toThrow(
      /bad\.jsonl:2: column "text" is empty/,
    );
    expect(existsSync(at('e/prepare.json'))).toBe(false);
    await expect(ShardReader.open(at('e/train'))).rejects.toThrow(/holds no finished shards/);
  });

  it('leaves nothing that looks finished when it is stopped', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('stopped by the user'));
    await expect(prepare(options('f', { signal: stop.signal }), onProgress)).rejects.toThrow('stopped by the user');
    await expect(ShardReader.open(at('f/train'))).rejects.toThrow(/holds no finished shards/);
    expect((await prepare(options('f'))).isSkipped).toBe(false);
  });

  it('tells its progress', async () => {
    const seen: PrepareProgress[] = [];
    const { report } = await prepare(options('g'), (progress) => seen.push(progress));
    expect(seen.at(-1)).toMatchObject({
      documents: 400,
      wrongRows: 0,
      bytesRead: report.bytesRead,
      bytesTotal: report.bytesRead,
    });
  });

  it('renders question-answer rows as text, or as conversations with answers as targets', async () => {
    const rows = [
      { question: 'Which whale?', answer: 'The white one.' },
      { question: 'Which ship?', answer: 'The old one.' },
    ];
    const pairs = folder.file('pairs.json', JSON.stringify(rows));
    const common = { sources: [pairs], heldOut: { fraction: 0 } };
    await prepare(options('h', { ...common, template: 'Q: {prompt}\nA: {response}' }));
    expect((await decodeAll(at('h/train')))[0]).toBe('<s>Q: Which whale?\nA: The white one.</s>');
    const { report } = await prepare(options('i', { ...common, as: 'chat' }));
    expect(report.splits.train.targets).toBeLessThan(report.splits.train.tokens / 2 + 8);
    const { ids, mask } = await (await ShardReader.open(at('i/train'))).document(0);
    expect(await tokenizer.decode(ids)).toBe('<s><|user|>Which whale?<|assistant|>The white one.</s>');
    expect(await tokenizer.decode(ids.filter((_, i) => mask![i] === 1))).toBe('The white one.</s>');
    const stream = await openStream({ shards: at('i/train'), rowLength: 64, seed: 0 });
    const batch = await stream.batch(0, stream.numRows);
    expect(batch.numTargets).toBe(report.splits.train.targets);
  });

  it('reports conversations that teach nothing', async () => {
    const rows = [{ text: 'plain' }, { messages: [{ role: 'user', content: 'hi' }] }, { question: 'q', answer: 'a' }];
    const source = folder.file('mixed.json', JSON.stringify(rows));
    const { report } = await prepare(options('j', { sources: [source], as: 'chat', heldOut: { fraction: 0 } }));
    expect(report.wrongRows.examples).toEqual([
      expect.stringContaining('no assistant turn to learn from; prepare it as text'),
      expect.stringContaining('has no assistant turn'),
    ]);
    expect(report.splits.train.documents).toBe(1);
  });

  it('refuses sources without a single document', async () => {
    const bad = folder.file('none.jsonl', '{"text": ""}\n');
    await expect(prepare(options('k', { sources: [bad] }))).rejects.toThrow(
      /received none; the first wrong row is .*none\.jsonl:1/,
    );
    await expect(prepare(options('k', { sources: [at('missing')] }))).rejects.toThrow(/missing: no such file/);
  });
});

describe('inspectShards', () => {
  it('counts, verifies and decodes', async () => {
    const { problems, histogram, samples, meanLength, minLength, maxLength } = await inspectShards(at('a/train'), {
      tokenizer,
      samples: 2,
    });
    expect(problems).toEqual([]);
    const { documents, tokens } = (await ShardReader.open(at('a/train'))).index;
    expect(histogram.reduce((total, bar) => total + bar.documents, 0)).toBe(documents);
    expect(meanLength).toBeCloseTo(tokens / documents);
    expect(minLength).toBeLessThan(maxLength);
    for (const { text } of samples) expect(text).toMatch(/^<s>Document \d+\..*<\/s>$/);
  });
});

describeWith('corpora')('on the shared corpora', () => {
  const big = path.join(folder.path, 'real');

  beforeAll(async () => {
    const llama = await loadTokenizer(realData('tokenizers/llama2'));
    const common = { tokenizer: llama, heldOut: { fraction: 0.02 }, threads: 1 }; // others run what is built
    const corpus = (name: string) => realData('corpora', name);
    await prepare({ ...common, sources: [corpus('NonSynth/web-openwebtext')], out: path.join(big, 'natural') });
    await prepare({
      ...common,
      sources: [corpus('SynthQA/caia-qa'), corpus('SynthQA/gpteacher-codegen')],
      out: path.join(big, 'synthetic'),
    });
  }, 120_000);

  it.each([128, 512, 1024, 4096])('best-fit fills at least 99%% of rows of %i tokens', async (rowLength) => {
    const stream = await openStream({ shards: path.join(big, 'natural/train'), rowLength, seed: 1 });
    expect(stream.efficiency).toBeGreaterThanOrEqual(0.99);
  });

  it('mixes 2.00% of synthetic tokens into natural ones', async () => {
    const [natural, synthetic] = await Promise.all(
      ['natural', 'synthetic'].map((name) =>
        openStream({ shards: path.join(big, name, 'train'), rowLength: 256, seed: 1 }),
      ),
    );
    const parts = [
      { name: 'natural', stream: natural!, proportion: 0.98 },
      { name: 'synthetic', stream: synthetic!, proportion: 0.02 },
    ];
    const stream = mixStreams(parts, 1);
    const targets = { natural: 0, synthetic: 0 };
    for (let start = 0; start < 10_000; start += 50) {
      const batch = await stream.batch(start, 50);
      for (let r = 0; r < batch.numRows; r++) {
        const name = batch.documents[r]!.split(':')[0] as keyof typeof targets;
        targets[name] += batch.targets.subarray(r * 256, (r + 1) * 256).filter((target) => target >= 0).length;
      }
    }
    expect(Math.abs(targets.synthetic / (targets.natural + targets.synthetic) - 0.02)).toBeLessThan(0.001);
  }, 60_000);

  it('holds whole shards', async () => {
    const { problems, index } = await inspectShards(path.join(big, 'natural/train'));
    expect(problems).toEqual([]);
    expect(index.documents).toBeGreaterThan(950);
  });
});
