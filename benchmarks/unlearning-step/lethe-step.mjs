// Times whole unlearning steps in Lethe: node lethe-step.mjs SIZE PRECISION THREADS STEPS. Prints one JSON line.
import { readFileSync } from 'node:fs';
import { baselm, cloneLlama, countParameters, initializeLlama } from '@lethe/model';
import { setNumThreads, startProfile, stopProfile, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';
import { randomBatch } from './random-batch.mjs';

const [size = 'tiny', precision = 'bf16', threads = '2', numSteps = '6'] = process.argv.slice(2);
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

const batch = (seed) => randomBatch({ rows, length, vocab }, seed);
const seconds = [];
const context = { model, original, objective: OBJECTIVE, recompute: false };
for (let step = 1; step <= Number(numSteps) + 1; step++) {
  if (step === 2) startProfile();
  const started = performance.now();
  accumulateGradients(context, [{ forget: batch(step), replay: batch(1000 + step) }]);
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
// Products of the step: policy forward and backward on both streams, the original forward on replay; attention causal.
const flop =
  6 * matrices * 2 * perSide + 2 * matrices * perSide + 2 * length * hidden * layers * (2 * perSide * 3 + perSide);
process.stdout.write(
  `${JSON.stringify({
    who: `lethe ${precision}`,
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
