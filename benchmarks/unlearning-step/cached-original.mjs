// What model.original: cached saves: node benchmarks/unlearning-step/cached-original.mjs [SIZE] [PRECISION] [PAIRS].
// Steps with a live and with a cached original in turns, on one model and the same rows; then the peak memory of each by
// itself, and what building took beside the live passes that it stands for. One row of results/cached-original.csv.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { baselm, cloneLlama, initializeLlama } from '@lethe/model';
import { deviceMemory, resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { cacheOriginal } from './cached-rows.mjs';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';
import { randomBatch } from './random-batch.mjs';

const [size = 'small', precision = 'bf16', pairs = '6'] = process.argv.slice(2);
const shape = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))[size];
const { hidden, layers, ffn, heads, vocab, length } = shape;
const threads = Number(process.env.THREADS ?? Math.min(2, cpus().length));
setNumThreads(threads);
await useDevice('lethe-cpu', precision);
const heads_ = { numHeads: heads, numKeyValueHeads: heads, headDim: hidden / heads };
const sizes = { vocabSize: vocab, hiddenSize: hidden, intermediateSize: ffn, numLayers: layers, maxPositions: length };
const model = initializeLlama(baselm({ ...sizes, ...heads_ }), 1);
const original = cloneLlama(model);
const optimizer = new Optimizer(model.parameters, HYPERPARAMETERS);
const batch = (seed) => randomBatch(shape, seed);

const seeds = Array.from({ length: Number(pairs) + 1 }, (_, step) => step);
const { cached, batches, buildRatio } = cacheOriginal(
  original,
  seeds.map((step) => batch(1000 + step)),
  shape,
  precision,
);
const steps = seeds.map((step) => ({ forget: batch(step), replay: batches[step] }));

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
