// Text to shards, Lethe against Hugging Face datasets.map, in turns on the same file:
//   node benchmarks/data/prepare.mjs [file.jsonl] [tokenizer folder]
// The file is by default every document of some of LETHE_DATA's corpora (default ../shared), each once. PYTHON names a
// Python with datasets and tokenizers (default python3), ROUNDS rounds (default 3). Both write what they make and start
// with a new tokenizer each round; start-up of the processes is not counted.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentText, loadTokenizer, prepare, readDocuments } from '../../packages/data-pipeline/dist/index.js';
import { median, recordResult } from './record-result.mjs';

const data = process.env.LETHE_DATA ?? '../shared';
const CORPORA = [
  'NonSynth/web-*/*',
  'NonSynth/books/*',
  'SynthQA/*/*.{jsonl,parquet}',
  'OpenHermes-2.5/**',
  'MixedIns/**',
  'U33B/**',
];
const [given, tokenizerFolder = join(data, 'tokenizers/llama2')] = process.argv.slice(2);
const python = process.env.PYTHON ?? 'python3';
const folder = mkdtempSync(join(tmpdir(), 'lethe-bench-'));
const source = given ?? join(folder, 'text.jsonl');
if (given === undefined) {
  const lines = [];
  for await (const document of readDocuments(CORPORA.map((name) => join(data, 'corpora', name)))) {
    lines.push(`${JSON.stringify({ text: documentText(document) })}\n`);
  }
  writeFileSync(source, lines.join(''));
}
const hasDatasets = spawnSync(python, ['-c', 'import datasets, tokenizers']).status === 0;
if (!hasDatasets) process.stdout.write('datasets is not installed for PYTHON: Lethe alone\n');

const ours = { tokens: [], bytes: [] };
const theirs = [];
try {
  for (let round = 0; round < Number(process.env.ROUNDS ?? 3); round++) {
    const tokenizer = await loadTokenizer(tokenizerFolder);
    const out = join(folder, `lethe-${round}`);
    const { report } = await prepare({ sources: [source], out, tokenizer, heldOut: { fraction: 0 } });
    ours.tokens.push(report.tokensPerSecond);
    ours.bytes.push(report.bytesPerSecond);
    if (!hasDatasets) continue;
    const script = join(dirname(fileURLToPath(import.meta.url)), 'datasets_map.py');
    const { status, stdout, stderr } = spawnSync(
      python,
      [script, source, join(tokenizerFolder, 'tokenizer.json'), join(folder, `hf-${round}`)],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`datasets_map.py: ${stderr.trim().split('\n').at(-1)}`);
    theirs.push(JSON.parse(stdout.trim().split('\n').at(-1)).tokensPerSecond);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const ratio = theirs.length > 0 ? median(ours.tokens) / median(theirs) : undefined;
recordResult({ what: 'prepare text to shards', value: median(ours.tokens), unit: 'tokens/s', ratio });
recordResult({ what: 'prepare text to shards (input)', value: median(ours.bytes) / 1e6, unit: 'MB/s' });
if (theirs.length > 0)
  recordResult({ what: 'datasets.map of the same file', value: median(theirs), unit: 'tokens/s', ratio: 1 });
