// One rank of ranks-beside.spec.ts, started by mpirun: ranks-beside.mjs SHARD. Steps of unlearning of two micro-batches a
// rank, whose gradients and weights travel beside them, and the same steps of which nothing travels before all gradients
// are there, and which wait for all weights. Each rank prints what it has in the end, and what it sent when.
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { baselm, cloneLlama, initializeLlama } from '@lethe/model';
import { openCollectives, setNumThreads, useDevice } from '@lethe/tensor';
import { gradientNormOverRanks, gradientsOverRanks, Optimizer, partsOfRank, updateOverRanks } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from '../../benchmarks/unlearning-step/method.mjs';
import { randomBatch } from '../../benchmarks/unlearning-step/random-batch.mjs';

const shard = process.argv[2];
const ranks = openCollectives();
setNumThreads(1);
await useDevice('lethe-cpu', 'fp32');
const shape = { rows: 1, length: 16, vocab: 1031 };
const widths = { hiddenSize: 256, intermediateSize: 300, numLayers: 3, numHeads: 4, numKeyValueHeads: 4, headDim: 64 };
const rows = (seed) => randomBatch(shape, 10 * seed + ranks.rank);
const batches = (step) => [1, 2].map((i) => ({ forget: rows(4 * step + i), replay: rows(4 * step + i + 2) }));

const calls = (change) => Object.assign(Object.create(ranks), change);

/** The ranks; `sent` has the embedding's gradient, to which a step adds last, as it was when each sum of a gradient began. */
function beside() {
  const sent = [];
  let last;
  const note = (kind) => (tensor) => {
    sent.push(createHash('sha256').update(last.grad.dataSync()).digest('hex'));
    return ranks[kind](tensor);
  };
  const began = (parameters) => (last = parameters[0]);
  const all = calls({ allReduce: note('allReduce'), reduceScatter: note('reduceScatter') });
  return { all, began, sent };
}

/** The ranks, to whom nothing goes before the small gradients, which are summed last; weights are waited for. */
function after() {
  let held = [];
  const hold = (kind) => (tensor) =>
    new Promise((resolve, reject) => held.push(() => ranks[kind](tensor).then(resolve, reject)));
  const allReduceValues = (values) => {
    for (const send of held.splice(0)) send();
    return ranks.allReduceValues(values);
  };
  const allGather = (tensor) => {
    const done = ranks.allGather(tensor);
    tf.engine().backend.buffer(tensor);
    return done;
  };
  const all = calls({ allReduce: hold('allReduce'), reduceScatter: hold('reduceScatter'), allReduceValues, allGather });
  return { all, began: () => {} };
}

async function weightsAfter({ all, began }) {
  const model = initializeLlama(baselm({ ...widths, vocabSize: shape.vocab, maxPositions: shape.length }), 1);
  const context = { model, original: cloneLlama(model), objective: OBJECTIVE, recompute: false };
  const optimizer = new Optimizer(model.trained, HYPERPARAMETERS, partsOfRank({ ranks: { shard } }, ranks));
  const found = createHash('sha256');
  for (let step = 1; step <= 3; step++) {
    began(optimizer.parameters);
    const sums = await gradientsOverRanks(context, batches(step), { optimizer, ranks: all });
    const gradientNorm = await gradientNormOverRanks(optimizer, all);
    found.update(JSON.stringify([sums, gradientNorm]));
    updateOverRanks(optimizer, { step, lr: HYPERPARAMETERS.lr, gradientNorm }, all);
    optimizer.zeroGrad();
  }
  for (const { value } of optimizer.parameters) found.update(value.dataSync());
  return found.digest('hex');
}

const { sent, ...first } = beside();
const [weights, expected] = [await weightsAfter(first), await weightsAfter(after())];
const told = await ranks.gather(JSON.stringify({ weights, expected, sent }));
if (ranks.rank === 0) process.stdout.write(`[${told.join()}]\n`);
process.exit(0);
