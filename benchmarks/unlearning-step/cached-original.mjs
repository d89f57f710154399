// What model.original: cached saves: node benchmarks/unlearning-step/cached-original.mjs [SIZE] [PRECISION] [PAIRS].
// Steps with a live and with a cached original in turns, on one model and the same rows; then the peak memory of each by
// itself, and what building took beside the live passes that it stands for. One row of results/cached-original.csv.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RowStore, RowWriter } from '@lethe/data-pipeline';
import { baselm, cloneLlama, disposeBatch, initializeLlama, toTokenBatch } from '@lethe/model';
import { bf16Bits, deviceMemory, noGrad, resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { accumulateGradients, CachedModel, Optimizer } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';
import { randomBatch } from './random-batch.mjs';

const [size = 'small', precision = 'bf16', pairs = '6'] = process.argv.slice(2);
const shape = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))[size];
const { hidden, layers, ffn, heads, vocab, length, rows } = shape;
const threads = Number(process.env.THREADS ?? Math.min(2, cpus().length));
setNumThreads(threads);
await useDevice('lethe-cpu', precision);
const heads_ = { numHeads: heads, numKeyValueHeads: heads, headDim: hidden / heads };
const sizes = { vocabSize: vocab, hiddenSize: hidden, intermediateSize: ffn, numLayers: layers, maxPositions: length };
const model = initializeLlama(baselm({ ...sizes, ...heads_ }), 1);
const original = cloneLlama(model);
const optimizer = new Optimizer(model.parameters, HYPERPARAMETERS);
const folder = mkdtempSync(join(tmpdir(), 'lethe-cached-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const batch = (seed) => randomBatch(shape, seed);

const set = { digest: 'rows' };
const steps = Array.from({ length: Number(pairs) + 1 }, (_, step) => {
  const origins = Array.from({ length: rows }, (_, r) => ({ set, row: step * rows + r }));
  return { forget: batch(step), replay: { ...batch(1000 + step), origins } };
});

const store = new RowStore(folder, {
  rowLength: length,
  width: hidden,
  type: precision === 'bf16' ? 'bfloat16' : 'float32',
});
const building = performance.now();
const writer = new RowWriter(store, '0');
let inPasses = 0;
for (const { replay } of steps) {
  const began = performance.now();
  const tokens = toTokenBatch(replay);
  const states = noGrad(() => original.hidden(tokens));
  disposeBatch(tokens);
  const values = precision === 'bf16' ? bf16Bits(states) : states.dataSync();
  inPasses += performance.now() - began;
  states.dispose();
  const each = values.length / rows;
  for (const [r, { row }] of replay.origins.entries()) writer.add(row, values.subarray(r * each, (r + 1) * each));
}
writer.close();
store.refresh();
const buildRatio = (performance.now() - building) / inPasses;

const head = tf.keep(tf.clone(original.headWeight));
const cached = new CachedModel(head, new Map([[set.digest, store]]));
let count = 0;
function timed(which, micro) {
  const began = performance.now();
  const sums = accumulateGradients({ model, original: which, objective: OBJECTIVE, recompute: false }, [micro]);
  optimizer.update(++count, HYPERPARAMETERS.lr, optimizer.gradientNorm());
  optimizer.zeroGrad();
  return { seconds: (performance.now() - began) / 1000, kl: sums.mitigation };
}
timed(original, steps[0]);
const found = { live: [], cached: [] };
for (const [i, micro] of steps.slice(1).entries()) {
  const sides = [
    ['live', original],
    ['cached', cached],
  ];
  for (const [side, which] of i % 2 === 0 ? sides : sides.reverse()) found[side].push(timed(which, micro).seconds);
}
// The same weights with both: KL is read before the update.
const kl = [original, cached].map((which) => {
  const { mitigation } = accumulateGradients({ model, original: which, objective: OBJECTIVE, recompute: false }, [
    steps[1],
  ]);
  optimizer.zeroGrad();
  return mitigation;
});
const peakOf = (which) => {
  resetPeakMemory();
  timed(which, steps[1]);
  return deviceMemory().peak / 2 ** 20;
};
const live = { seconds: median(found.live), all: found.live, mb: peakOf(original) };
for (const { name, value } of original.parameters)
  if (value !== original.headWeight) original.parameter(name).dispose();
const kept = { seconds: median(found.cached), all: found.cached, mb: peakOf(cached) };

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const speedup = live.seconds / kept.seconds;
process.stdout.write(
  `${size} ${precision}, ${threads} threads, ${pairs} pairs: live ${live.seconds.toFixed(3)} s, cached ${kept.seconds.toFixed(3)} s: ${speedup.toFixed(3)}x; ` +
    `pairs ${live.all.map((seconds, i) => `${seconds.toFixed(2)}/${kept.all[i].toFixed(2)}`).join(' ')}; ` +
    `peak ${live.mb.toFixed(1)} and ${kept.mb.toFixed(1)} MB; KL ${kl[0]} and ${kl[1]}; building ${buildRatio.toFixed(3)} of its passes\n`,
);
const results = new URL('../results/cached-original.csv', import.meta.url);
if (!existsSync(results))
  writeFileSync(
    results,
    'date,machine,threads,size,precision,live_seconds,cached_seconds,speedup,live_peak_mb,cached_peak_mb,build_over_passes\n',
  );
const date = new Date().toISOString().slice(0, 10);
appendFileSync(
  results,
  `${date},"${cpus()[0].model.trim()} x${cpus().length}",${threads},${size},${precision},${live.seconds.toFixed(3)},${kept.seconds.toFixed(3)},${speedup.toFixed(3)},${live.mb.toFixed(1)},${kept.mb.toFixed(1)},${buildRatio.toFixed(3)}\n`,
);
