// Reading packed rows from shards: node benchmarks/data/packed-reading.mjs
// GIGABYTES of shards are written first (default 0.5), ROW_LENGTH tokens a row (default 1024). The plan is made before
// the clock starts; then one epoch is read in shuffled order in batches of 32 rows. "Stored" counts the ids' bytes on disk
// (2 a token), "batch" the bytes of the arrays that a training step receives. The ratio is to reading the same files plainly.
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStream, ShardWriter } from '../../packages/data-pipeline/dist/index.js';
import { recordResult } from './record-result.mjs';

const tokensWanted = (Number(process.env.GIGABYTES ?? 0.5) * 1e9) / 2;
const rowLength = Number(process.env.ROW_LENGTH ?? 1024);
const ROWS = 32;
const folder = mkdtempSync(join(tmpdir(), 'lethe-bench-'));

async function writeShards() {
  const writer = await ShardWriter.create(folder, { vocabSize: 32000, tokenizerHash: '0'.repeat(64), eosId: 2 });
  const ids = Int32Array.from({ length: 40000 }, (_, k) => 3 + ((k * 7919) % 30000));
  for (let done = 0, i = 0; done < tokensWanted; i++) {
    const from = i % 30000;
    done += await writer.add(ids.subarray(from, from + 50 + ((i * 7919) % 2000)));
  }
  return writer.finish();
}

async function readPlainly() {
  const start = performance.now();
  let numBytes = 0;
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.arrow'))) {
    for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 2 ** 20 }))
      numBytes += chunk.length;
  }
  return numBytes / ((performance.now() - start) / 1000);
}

try {
  const { tokens } = await writeShards();
  const stream = await openStream({ shards: folder, rowLength, seed: 0 });
  for (let row = 0; row < stream.numRows; row += ROWS * 64) await stream.batch(row, 1); // makes and stores the plan
  const plain = await readPlainly();
  const before = process.memoryUsage().rss;
  let peak = before;
  let batchBytes = 0;
  const start = performance.now();
  for (let row = 0; row + ROWS <= stream.numRows; row += ROWS) {
    const batch = await stream.batch(row, ROWS);
    for (const value of Object.values(batch)) batchBytes += ArrayBuffer.isView(value) ? value.byteLength : 0;
    if (row % (ROWS * 64) === 0) peak = Math.max(peak, process.memoryUsage().rss);
  }
  const seconds = (performance.now() - start) / 1000;
  const stored = (2 * tokens) / seconds;
  recordResult({ what: 'packed reading (stored ids)', value: stored / 1e9, unit: 'GB/s', ratio: stored / plain });
  recordResult({
    what: 'packed reading (batch arrays)',
    value: batchBytes / seconds / 1e9,
    unit: 'GB/s',
    ratio: batchBytes / seconds / plain,
  });
  recordResult({ what: 'packed reading', value: tokens / seconds, unit: 'tokens/s' });
  recordResult({
    what: `packed reading of ${(tokens / 5e8).toFixed(1)} GB, memory above the start`,
    value: (peak - before) / 1e6,
    unit: 'MB',
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
