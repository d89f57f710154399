// Text to shards, Lethe against Hugging Face datasets.map, in turns on the same file:
//   node benchmarks/data/prepare.mjs [file.jsonl] [tokenizer folder]
// PYTHON names a Python with datasets and tokenizers (default python3); COPIES repeats the file (default 8), ROUNDS
// rounds (default 3). Both write what they make; start-up of the processes is not counted.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer, prepare } from '../../packages/data-pipeline/dist/index.js';
import { median, recordResult } from './record-result.mjs';

const data = process.env.LETHE_DATA ?? '../shared';
const [
  file = join(data, 'corpora/NonSynth/web-openwebtext/openwebtext-1000.jsonl'),
  tokenizerFolder = join(data, 'tokenizers/llama2'),
] = process.argv.slice(2);
const python = process.env.PYTHON ?? 'python3';
const folder = mkdtempSync(join(tmpdir(), 'lethe-bench-'));
const source = join(folder, 'text.jsonl');
copyFileSync(file, source);
const copy = readFileSync(file);
for (let i = 1; i < Number(process.env.COPIES ?? 8); i++) appendFileSync(source, copy);
const hasDatasets = spawnSync(python, ['-c', 'import datasets, tokenizers']).status === 0;
if (!hasDatasets) process.stdout.write('datasets is not installed for PYTHON: Lethe alone\n');

const ours = { tokens: [], bytes: [] };
const theirs = [];
try {
  const tokenizer = await loadTokenizer(tokenizerFolder);
  for (let round = 0; round < Number(process.env.ROUNDS ?? 3); round++) {
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
