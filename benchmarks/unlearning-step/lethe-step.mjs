// Times whole unlearning steps in Lethe: node lethe-step.mjs SIZE MODE THREADS STEPS. Prints one JSON line.
// MODE: bf16, fp32, or either with -cached: the original's hidden states of the replay rows are read, not computed.
import { readFileSync } from 'node:fs';
import { baselm, cloneLlama, countParameters, initializeLlama } from '@lethe/model';
import { setNumThreads, startProfile, stopProfile, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { cacheOriginal } from './cached-rows.mjs';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';
import { randomBatch } from './random-batch.mjs';

const [size = 'tiny', mode = 'bf16', threads = '2', numSteps = '6'] = process.argv.slice(2);
const isCached = mode.endsWith('-cached');
const precision = mode.replace('-cached', '');
const shape = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))[size];
const { hidden, layers, ffn, heads, vocab, length, rows } = shape;
setNumThreads(Number(threads));
await useDevice('lethe-cpu', precision);
const config = baselm({
  vocabSize: vocab,
  hiddenSize: hidden,
  intermediateSize: ffn,
  numLayers: layers,
  numHeads: heads,
  numKeyValueHeads: heads,
  headDim: hidden / heads,
  maxPositions: length,
});
const model = initializeLlama(config, 1);
const original = cloneLlama(model);
const optimizer = new Optimizer(model.parameters, HYPERPARAMETERS);

const numbers = Array.from({ length: Number(numSteps) + 1 }, (_, i) => i + 1);
const forget = numbers.map((step) => randomBatch(shape, step));
let replay = numbers.map((step) => randomBatch(shape, 1000 + step));
const context = { model, original, objective: OBJECTIVE, recompute: false };
if (isCached) {
  const kept = cacheOriginal(original, replay, shape, precision);
  replay = kept.batches;
  context.original = kept.cached;
  for (const { value } of original.parameters) if (value !== original.headWeight) value.dispose();
}
const seconds = [];
for (const [i, step] of numbers.entries()) {
  if (step === 2) startProfile();
  const started = performance.now();
  accumulateGradients(context, [{ forget: forget[i], replay: replay[i] }]);
  optimizer.update(step, HYPERPARAMETERS.lr, optimizer.gradientNorm());
  optimizer.zeroGrad();
  if (step > 1) seconds.push((performance.now() - started) / 1000);
}
const profile = stopProfile();
const total = seconds.reduce((sum, x) => sum + x, 0) * 1000;
const inNative = profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
seconds.sort((a, b) => a - b);
const median = seconds[Math.floor(seconds.length / 2)];
const matrices = layers * (4 * hidden * hidden + 3 * hidden * ffn) + vocab * hidden;
const perSide = rows * length;
const cachedFlop = 2 * vocab * hidden * perSide;
const liveFlop = 2 * matrices * perSide + 2 * length * hidden * layers * perSide;
// Products of the step: policy forward and backward on both streams, the original (or its head) forward on replay; attention causal.
const flop =
  6 * matrices * 2 * perSide + 2 * length * hidden * layers * 6 * perSide + (isCached ? cachedFlop : liveFlop);
process.stdout.write(
  `${JSON.stringify({
    who: `lethe ${mode}`,
    size,
    threads: Number(threads),
    parameters: countParameters(config),
    median,
    tokensPerSecond: (2 * perSide) / median,
    gflops: flop / median / 1e9,
    rssMb: process.resourceUsage().maxRSS / 1024,
    javascriptShare: 1 - inNative / total,
    operators: profile.slice(0, 8).map(({ operator, milliseconds }) => [operator, +(milliseconds / total).toFixed(3)]),
  })}\n`,
);
