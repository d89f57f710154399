// Does memory stay flat? node benchmarks/unlearning-step/steady-state.mjs [steps]: a tiny model, resident memory and
// blocks taken from the device after each tenth of the steps. Exits 1 when either grew after the first tenth.
import { baselm, cloneLlama, initializeLlama } from '@lethe/model';
import { loadAddon } from '@lethe/native';
import { deviceMemory, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer } from '@lethe/train';
import { HYPERPARAMETERS, OBJECTIVE } from './method.mjs';

const numSteps = Number(process.argv[2] ?? 1000);
await useDevice('lethe-cpu', 'bf16');
const shape = { hiddenSize: 64, intermediateSize: 128, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 16 };
const config = baselm({ vocabSize: 512, maxPositions: 64, ...shape });
const model = initializeLlama(config, 1);
const original = cloneLlama(model);
const optimizer = new Optimizer(model.parameters, HYPERPARAMETERS);

function batch(seed) {
  const [numRows, rowLength] = [4, 64];
  const size = numRows * rowLength;
  const column = Int32Array.from({ length: size }, (_, i) => i % rowLength);
  const ids = Int32Array.from({ length: size }, (_, i) => (i * 7919 + seed * 104729) % 512);
  const rows = { ids, targets: ids, positions: column, first: new Int32Array(size), last: column };
  return { ...rows, numRows, rowLength, numTargets: size, documents: [] };
}

let settled;
let grew = false;
for (let step = 1; step <= numSteps; step++) {
  accumulateGradients({ model, original, objective: OBJECTIVE, recompute: false }, [
    { forget: batch(step), replay: batch(-step >>> 1) },
  ]);
  optimizer.update(step, HYPERPARAMETERS.lr, optimizer.gradientNorm());
  optimizer.zeroGrad();
  if (step % Math.ceil(numSteps / 10) !== 0) continue;
  globalThis.gc?.();
  const now = { rss: process.memoryUsage().rss / 2 ** 20, ...loadAddon().memory(1), tensors: deviceMemory().tensors };
  settled ??= now;
  grew ||= now.allocations > settled.allocations || now.tensors > settled.tensors || now.rss > settled.rss + 32;
  process.stdout.write(
    `step ${step}: ${now.rss.toFixed(0)} MB resident, ${now.allocations} segments, ${now.tensors} tensors\n`,
  );
}
process.stdout.write(grew ? 'memory grew\n' : 'memory is flat\n');
process.exit(grew ? 1 : 0);
