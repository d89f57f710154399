// A step of unlearning from TypeScript on the GPU: ten losses of a small model beside the reference device's, then
// tokens/s of the paper's 2B shape. node scripts/gpu/step.mjs [--rows FILE] [--small]. Exits 1 where the losses differ.
import { appendFileSync } from 'node:fs';
import { baselm, cloneLlama, countParameters, initializeLlama } from '@lethe/model';
import { deviceMemory, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { randomBatch } from '../../benchmarks/unlearning-step/random-batch.mjs';

const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const objective = { weights: { forgetting: 0.01, replay: 1, mitigation: 1 }, method: 'complement', reduction: 'mean' };
const settings = { lr: 5e-5, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };

/** Runs steps on the current device; returns each one's sums and seconds. */
function steps(config, rows, length, numSteps, recompute) {
  const model = initializeLlama(config, 1);
  const context = { model, original: cloneLlama(model), objective, recompute };
  const optimizer = new Optimizer(model.parameters, settings);
  const shape = { rows, length, vocab: config.vocabSize };
  return Array.from({ length: numSteps }, (_, index) => {
    const started = performance.now();
    const micro = {
      forget: randomBatch(shape, 1 + index),
      replay: randomBatch(shape, 1000 + index),
    };
    const sums = accumulateGradients(context, [micro]);
    optimizer.update(index + 1, settings.lr, optimizer.gradientNorm());
    optimizer.zeroGrad();
    return { sums, seconds: (performance.now() - started) / 1000 };
  });
}

const shape = (hiddenSize, intermediateSize, numLayers, numHeads, vocabSize, maxPositions) =>
  baselm({
    hiddenSize,
    intermediateSize,
    numLayers,
    numHeads,
    vocabSize,
    maxPositions,
    numKeyValueHeads: numHeads,
    headDim: hiddenSize / numHeads,
  });

const small = shape(64, 176, 2, 4, 512, 32);
const losses = {};
for (const [device, precision] of [
  ['lethe-reference', 'fp32'], // all that it stores
  ['lethe-cuda', 'bf16'],
]) {
  await useDevice(device, precision);
  losses[device] = steps(small, 2, 32, 10, false).map(({ sums }) => sums);
}
let failed = 0;
losses['lethe-cuda'].forEach((sums, index) => {
  for (const [name, value] of Object.entries(sums)) {
    const truth = losses['lethe-reference'][index][name];
    if (typeof value !== 'number' || Math.abs(value - truth) <= 1e-2 * (Math.abs(truth) + 1)) continue;
    console.log(`FAILED: step ${index}, ${name} is ${value}, the reference's ${truth}`);
    failed++;
  }
});
console.log(`ten steps of a small model: ${failed} of the sums differ from the reference device's`);

if (!process.argv.includes('--small') && failed === 0) {
  await useDevice('lethe-cuda', 'bf16');
  const config = shape(2048, 5504, 32, 32, 64000, 4096);
  const timed = steps(config, 2, 4096, 4, true).slice(1);
  const seconds = timed.map((step) => step.seconds).sort((a, b) => a - b)[1];
  const billions = (countParameters(config) / 1e9).toFixed(2);
  const row = `step from TypeScript,${billions}B ${4 * 4096} tokens,lethe,${(seconds * 1000).toFixed(0)},${((4 * 4096) / seconds).toFixed(0)},tokens/s,,${(deviceMemory().peak / 1e9).toFixed(1)},`;
  console.log(row);
  if (argument('--rows')) appendFileSync(argument('--rows'), `${new Date().toISOString().slice(0, 10)},,,${row}\n`);
}
process.exitCode = failed ? 1 : 0;
