// What an adapter (model.lora) saves: node benchmarks/unlearning-step/lora.mjs [SIZE] [PRECISION] [PAIRS] [RANK].
// The peak memory of a step that trains all weights beside a frozen copy, and of one that trains an adapter over the frozen
// weights, each by itself; then steps of both in turns on the same rows. One row of results/lora.csv.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { baselm, cloneLlama, initializeAdapter, initializeLlama, Llama, LORA_TARGETS } from '@lethe/model';
import {
  deviceMemory,
  Parameter,
  frozenWeight,
  resetPeakMemory,
  setNumThreads,
  startProfile,
  stopProfile,
  useDevice,
} from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';
import { randomBatch } from './random-batch.mjs';

const [size = 'small', precision = 'bf16', pairs = '6', rank = '16'] = process.argv.slice(2);
const shape = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))[size];
const { hidden, layers, ffn, heads, vocab, length } = shape;
const threads = Number(process.env.THREADS ?? Math.min(2, cpus().length));
setNumThreads(threads);
await useDevice('lethe-cpu', precision);
const sizes = { vocabSize: vocab, hiddenSize: hidden, intermediateSize: ffn, numLayers: layers, maxPositions: length };
const config = baselm({ ...sizes, numHeads: heads, numKeyValueHeads: heads, headDim: hidden / heads });

const batch = (seed) => randomBatch(shape, seed);

/** A model with its original and optimizer: all weights trained, or an adapter of them. */
function side(isAdapted) {
  const made = initializeLlama(config, 1);
  let [model, original] = [made, made];
  if (isAdapted) {
    const frozen = made.parameters.map(({ name, value }) => new Parameter(name, frozenWeight(value), false));
    made.dispose();
    model = original = new Llama(config, frozen);
    const settings = { rank: Number(rank), alpha: 2 * Number(rank), targets: LORA_TARGETS };
    model.adapt(initializeAdapter(config, settings, 1));
  } else original = cloneLlama(made);
  const optimizer = new Optimizer(model.trained, HYPERPARAMETERS);
  let count = 0;
  const step = (micro) => {
    const began = performance.now();
    accumulateGradients({ model, original, objective: OBJECTIVE, recompute: false }, [micro]);
    optimizer.update(++count, HYPERPARAMETERS.lr, optimizer.gradientNorm());
    optimizer.zeroGrad();
    return (performance.now() - began) / 1000;
  };
  const dispose = () => {
    optimizer.dispose();
    if (original !== model) original.dispose();
    model.dispose();
  };
  return { step, dispose };
}

const steps = Array.from({ length: Number(pairs) + 1 }, (_, i) => ({ forget: batch(i), replay: batch(1000 + i) }));
function peakOf(isAdapted) {
  const one = side(isAdapted);
  one.step(steps[0]);
  resetPeakMemory();
  one.step(steps[0]);
  const { peak } = deviceMemory();
  one.dispose();
  return peak / 2 ** 20;
}
const peaks = { full: peakOf(false), lora: peakOf(true) };

const [full, lora] = [side(false), side(true)];
for (const one of [full, lora]) one.step(steps[0]);
const found = { full: [], lora: [] };
for (const [i, micro] of steps.slice(1).entries()) {
  const sides = [
    ['full', full],
    ['lora', lora],
  ];
  for (const [name, one] of i % 2 === 0 ? sides : sides.reverse()) found[name].push(one.step(micro));
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const [fullSeconds, loraSeconds] = [median(found.full), median(found.lora)];
if (process.env.PROFILE) {
  for (const [name, one] of [
    ['full', full],
    ['lora', lora],
  ]) {
    startProfile();
    one.step(steps[0]);
    process.stdout.write(`${name}: ${JSON.stringify(stopProfile())}\n`);
  }
}
const speedup = fullSeconds / loraSeconds;
process.stdout.write(
  `${size} ${precision}, ${threads} threads, ${pairs} pairs: all weights ${fullSeconds.toFixed(3)} s, adapter of rank ${rank} ` +
    `${loraSeconds.toFixed(3)} s: ${speedup.toFixed(3)}x; pairs ` +
    `${found.full.map((seconds, i) => `${seconds.toFixed(2)}/${found.lora[i].toFixed(2)}`).join(' ')}; peak ${peaks.full.toFixed(1)} and ${peaks.lora.toFixed(1)} MiB\n`,
);
const results = new URL('../results/lora.csv', import.meta.url);
if (!existsSync(results))
  writeFileSync(
    results,
    'date,machine,threads,size,precision,rank,full_seconds,lora_seconds,speedup,full_peak_mib,lora_peak_mib\n',
  );
const date = new Date().toISOString().slice(0, 10);
appendFileSync(
  results,
  `${date},"${cpus()[0].model.trim()} x${cpus().length}",${threads},${size},${precision},${rank},${fullSeconds.toFixed(3)},${loraSeconds.toFixed(3)},${speedup.toFixed(3)},${peaks.full.toFixed(1)},${peaks.lora.toFixed(1)}\n`,
);
