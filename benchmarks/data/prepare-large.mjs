// Streaming: prepares a large JSONL file, interrupts it, goes on, and asks once more.
//   node benchmarks/data/prepare-large.mjs [gigabytes, default 10] [folder for files, default the system's temporary one]
// Peak memory is the kernel's VmHWM of each process. The text is made from LETHE_DATA (default ../shared) and removed
// with the shards at the end; both need room: about 1.5 times the gigabytes.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordResult } from './record-result.mjs';
import { writeLargeJsonl } from './write-large-jsonl.mjs';

const [gigabytes = '10', root = tmpdir()] = process.argv.slice(2);
const data = process.env.LETHE_DATA ?? '../shared';
const SOURCES = ['NonSynth/web-openwebtext', 'NonSynth/web-c4', 'NonSynth/web-dolma-cc', 'MixedIns', 'SynthQA/caia-qa'];
const program = fileURLToPath(new URL('../../packages/cli/bin/lethe.mjs', import.meta.url));
const folder = mkdtempSync(join(root, 'lethe-bench-'));
const [source, out] = [join(folder, 'text.jsonl'), join(folder, 'shards')];

/** Runs `lethe prepare`; `onLine` may interrupt it. */
function prepare(onLine = () => undefined) {
  const started = performance.now();
  const tokenizer = join(data, 'tokenizers/llama2');
  const child = spawn(process.execPath, [program, 'prepare', source, '--out', out, '--tokenizer', tokenizer], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const run = { lines: [], peakBytes: 0 };
  const sample = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    run.peakBytes = Math.max(run.peakBytes, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 200);
  child.stderr.setEncoding('utf8').on('data', (text) => {
    process.stderr.write(text);
    run.lines.push(...text.split('\n'));
    onLine(text, child);
  });
  return new Promise((resolve) => {
    child.once('exit', () => clearInterval(sample));
    child.once('close', (code) => resolve({ ...run, code, seconds: (performance.now() - started) / 1000 }));
  });
}

function expect(what, isTrue) {
  if (!isTrue) throw new Error(`expected ${what}`);
}

try {
  await writeLargeJsonl(
    source,
    Number(gigabytes) * 1e9,
    SOURCES.map((name) => join(data, 'corpora', name)),
  );
  const size = statSync(source).size;
  const percent = (text) => Number(/(\d+)% of/.exec(text)?.[1] ?? 0);
  const first = await prepare((text, child) => percent(text) >= 30 && child.kill('SIGINT'));
  expect('exit 130 after SIGINT', first.code === 130);
  const second = await prepare();
  expect('success', second.code === 0);
  expect(
    'progress with rate and time left',
    second.lines.some((line) => /% of .* MB\/s .* left/.test(line)),
  );
  const again = await prepare();
  expect('no work the third time', again.code === 0 && again.lines.some((line) => line.includes('there already')));
  const report = JSON.parse(readFileSync(join(out, 'prepare.json'), 'utf8'));
  const peak = Math.max(first.peakBytes, second.peakBytes, again.peakBytes);
  const name = `prepare ${(size / 1e9).toFixed(1)} GB of JSONL`;
  recordResult({ what: `${name}: peak resident memory`, value: peak / 1e6, unit: 'MB' });
  recordResult({
    what: `${name}: the part after an interruption at 30%`,
    value: size / 1e6 / report.seconds,
    unit: 'MB/s',
  });
  recordResult({ what: `${name}: asked again`, value: again.seconds, unit: 's' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
