// One rank of overlap.mjs, started by mpirun: timeline.mjs SIZE PRECISION ROWS LENGTH ROUNDS [LINK]. Steps of unlearning in three modes in
// turns: gradients and weights travel beside the step; the step waits for each call; they do not travel. Every block is two
// steps, of which the second is timed: it begins with what the first has left under way and leaves as much. The few values
// of a step (targets, losses, the norm, and what the trainer asks) are summed in all modes. Rank 0 prints one line of JSON.
import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { baselm, cloneLlama, initializeLlama } from '@lethe/model';
import { openCollectives, setNumThreads, useDevice } from '@lethe/tensor';
import { gradientNormOverRanks, gradientsOverRanks, Optimizer, partsOfRank, updateOverRanks } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from '../unlearning-step/method.mjs';
import { randomBatch } from '../unlearning-step/random-batch.mjs';

const [size, precision, rows, rowLength, rounds, link] = process.argv.slice(2);
const sizes = JSON.parse(readFileSync(new URL('../unlearning-step/sizes.json', import.meta.url), 'utf8'));
const shape = { ...sizes[size], rows: Number(rows), length: Number(rowLength) };
const ranks = openCollectives();
setNumThreads(1);
await useDevice('lethe-cpu', precision);
const { hidden, layers, ffn, heads, vocab, length } = shape;
const widths = { hiddenSize: hidden, intermediateSize: ffn, numLayers: layers, numHeads: heads };
const model = initializeLlama(
  baselm({ ...widths, vocabSize: vocab, maxPositions: length, numKeyValueHeads: heads, headDim: hidden / heads }),
  1,
);
const context = { model, original: cloneLlama(model), objective: OBJECTIVE, recompute: false };
const optimizer = new Optimizer(model.trained, HYPERPARAMETERS, partsOfRank({ ranks: { shard: 'optimizer' } }, ranks));
const batches = [{ forget: randomBatch(shape, 1 + ranks.rank), replay: randomBatch(shape, 1001 + ranks.rank) }];
const { backend } = tf.engine();
const seconds = () => performance.now() / 1000;

/** The ranks, with other calls on tensors. */
const withTensors = (call) =>
  Object.assign(Object.create(ranks), {
    allReduce: (tensor) => call('allReduce', tensor),
    reduceScatter: (tensor) => call('reduceScatter', tensor),
    allGather: (tensor) => call('allGather', tensor),
  });
let marks = [];
const modes = {
  beside: withTensors((kind, tensor) => ranks[kind](tensor)),
  inTurn: withTensors((kind, tensor) => {
    const done = ranks[kind](tensor);
    backend.buffer(tensor);
    return done;
  }),
  none: withTensors(async (kind, tensor) => void marks.push([kind, tensor.size, taken(task)])),
};

// Seconds of a processor: of the thread that computes, of the one that carries calls, and of the process that is the link.
const task = `/proc/self/task/${process.pid}`;
const carrier = readdirSync('/proc/self/task')
  .map((id) => `/proc/self/task/${id}`)
  .find((path) => readFileSync(`${path}/comm`, 'utf8').trim() === 'lethe-ranks');
const taken = (path) => (path ? Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ')[0]) / 1e9 : 0);
const processor = () => [taken(task), taken(carrier), taken(link && `/proc/${link}`)];

// Where the trained model's forward pass lies in a step.
let pass = {};
const forward = model.hidden.bind(model);
model.hidden = (...args) => {
  const begin = taken(task);
  const states = forward(...args);
  pass = { begin, end: taken(task) };
  return states;
};

let count = 0;
async function step(mode) {
  const began = seconds();
  await ranks.sum([0]); // the trainer: every rank has its rows
  await gradientsOverRanks(context, batches, { optimizer, ranks: mode });
  const gradientNorm = await gradientNormOverRanks(optimizer, mode);
  updateOverRanks(optimizer, { step: ++count, lr: HYPERPARAMETERS.lr, gradientNorm }, mode);
  optimizer.zeroGrad();
  for (let i = 0; i < 2; i++) await ranks.sum([0]); // memory, signals
  return seconds() - began;
}

/** Milliseconds of a call on tensors of some sizes, the least of five: what latency and bandwidth are fitted to. */
async function calls(kind) {
  const found = [];
  for (const elements of [2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22]) {
    const tensor = tf.fill([elements], 1);
    const times = [];
    for (let i = 0; i < 6; i++) {
      await ranks.barrier();
      const began = seconds();
      await ranks[kind](tensor);
      times.push(seconds() - began);
    }
    tensor.dispose();
    found.push([elements * 4, Math.min(...times.slice(1))]);
  }
  return found;
}

async function values() {
  const times = [];
  for (let i = 0; i < 20; i++) {
    const began = seconds();
    await ranks.sum([0]);
    times.push(seconds() - began);
  }
  return Math.min(...times.slice(1));
}

const names = Object.keys(modes);
const [times, costs] = [0, 1].map(() => Object.fromEntries(names.map((name) => [name, []])));
let timeline;
await step(modes.beside);
for (let round = 0; round < Number(rounds); round++) {
  for (const turn of names.keys()) {
    const name = names[(round + turn) % names.length];
    await step(modes[name]);
    marks = [];
    const before = processor();
    times[name].push(await step(modes[name]));
    const cost = processor().map((after, i) => after - before[i]);
    costs[name].push(cost);
    if (name === 'none' && cost[0] === Math.min(...costs.none.map(([computing]) => computing)))
      timeline = {
        took: cost[0],
        forward: [pass.begin - before[0], pass.end - before[0]],
        marks: marks.map(([kind, elements, at]) => [kind, elements, at - before[0]]),
      };
    for (const { value } of optimizer.parameters) backend.buffer(value);
    await ranks.barrier();
  }
}
const network =
  ranks.size === 1
    ? undefined
    : { reduceScatter: await calls('reduceScatter'), allGather: await calls('allGather'), values: await values() };
if (ranks.rank === 0) {
  process.stdout.write(
    `${JSON.stringify({ ranks: ranks.size, elements: optimizer.parameters.map(({ value }) => value.size), times, costs, timeline, network })}\n`,
  );
}
process.exit(0);
