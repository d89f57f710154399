// Text to shards on one thread and on several, in turns on the same file; and a small file, which must not be slower:
//   node benchmarks/data/prepare-threads.mjs [threads, default 2] [file.jsonl] [tokenizer folder]
// The file is by default ROUNDS_OF_TEXT (default 4) times every document of some of LETHE_DATA's corpora (default
// ../shared). ROUNDS rounds (default 3); the ratio is that of the medians. Each preparation begins with a new tokenizer, and
// the start of its threads is counted.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentText, loadTokenizer, prepare, readDocuments } from '../../packages/data-pipeline/dist/index.js';
import { median, recordResult } from './record-result.mjs';

const data = process.env.LETHE_DATA ?? '../shared';
const CORPORA = ['NonSynth/web-*/*', 'NonSynth/books/*', 'SynthQA/*/*.{jsonl,parquet}', 'OpenHermes-2.5/**', 'U33B/**'];
const SMALL_BYTES = 3e6;
const [threads = '2', given, tokenizerFolder = join(data, 'tokenizers/llama2')] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'lethe-bench-'));

/** Seconds of a preparation. */
async function secondsOf(source, threads) {
  const tokenizer = await loadTokenizer(tokenizerFolder);
  const out = join(folder, `out-${threads}`);
  const { report } = await prepare({ sources: [source], out, tokenizer, threads, force: true });
  return report.seconds;
}

/** Medians of both sides, in turns; the first round warms the page cache and is left out. */
async function compare(source) {
  const seconds = { one: [], many: [] };
  for (let round = 0; round <= Number(process.env.ROUNDS ?? 3); round++) {
    const [one, many] = [await secondsOf(source, 1), await secondsOf(source, Number(threads))];
    if (round === 0) continue;
    seconds.one.push(one);
    seconds.many.push(many);
  }
  return { one: median(seconds.one), many: median(seconds.many) };
}

try {
  const source = given ?? join(folder, 'text.jsonl');
  if (given === undefined) {
    const lines = [];
    for await (const document of readDocuments(CORPORA.map((name) => join(data, 'corpora', name))))
      lines.push(`${JSON.stringify({ text: documentText(document) })}\n`);
    writeFileSync(source, lines.join('').repeat(Number(process.env.ROUNDS_OF_TEXT ?? 4)));
  }
  const text = readFileSync(source, 'utf8');
  const small = join(folder, 'small.jsonl');
  writeFileSync(small, text.slice(0, text.lastIndexOf('\n', SMALL_BYTES) + 1));
  for (const [name, file] of [
    [`${(text.length / 1e6).toFixed(0)} MB`, source],
    [`${SMALL_BYTES / 1e6} MB`, small],
  ]) {
    const { one, many } = await compare(file);
    recordResult({ what: `prepare ${name} on 1 thread`, value: one, unit: 's', ratio: 1 });
    recordResult({ what: `prepare ${name} on ${threads} threads`, value: many, unit: 's', ratio: one / many });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
