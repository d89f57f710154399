import type { Batch } from '@lethe/data-pipeline';
import { termMeans } from '@lethe/losses';
import { type Llama, loadLlama } from '@lethe/model';
import { type DeviceName, installedDevices, type Precision, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer, type StepContext } from '@lethe/train';
import { goldenJson, goldenPath, goldenTensors, relativeError } from './golden-files.js';
import { batchAt, LENGTH, type GoldenOptimizer, type GoldenStep } from './unlearning-batch.js';

interface Golden {
  model: string;
  original: string;
  weights: { forgetting: number; replay: number; mitigation: number };
  optimizer: GoldenOptimizer;
  steps_by_decayed_parameters: { matrices: GoldenStep[] };
}

const golden = goldenJson<Golden>('unlearning.json');
function contextOf(): StepContext & { model: Llama } {
  const { model } = loadLlama(goldenPath(golden.model));
  const { model: original } = loadLlama(goldenPath(golden.original), { trainable: false });
  const objective = { weights: golden.weights, method: 'complement' as const, reduction: 'mean' as const };
  return { model, original, objective, recompute: false };
}

// Device, precision, and the relative error of gradients and of losses.
const places: [DeviceName, Precision, number, number][] = [
  ...installedDevices().map((device): [DeviceName, Precision, number, number] => [device, 'fp32', 1e-4, 1e-4]),
  ['lethe-cpu', 'bf16', 0.05, 0.01],
];

describe.each(places)('unlearning against PyTorch on %s in %s', (device, precision, gradientError, lossError) => {
  beforeAll(() => useDevice(device, precision));

  it.each([false, true])('every gradient of one step (recompute %s)', (recompute) => {
    const context = { ...contextOf(), recompute };
    accumulateGradients(context, [{ forget: batchAt('forget', 0), replay: batchAt('replay', 0) }]);
    const tensors = goldenTensors('unlearning.safetensors');
    for (const { name, grad } of context.model.parameters) {
      const error = relativeError(grad.dataSync() as Float32Array, tensors.readFloat32(`grad/${name}`));
      if (!(error <= gradientError)) throw new Error(`${name}: relative error ${error}`);
    }
    tensors.close();
  });

  it('the losses and gradient norms of ten AdamW steps', () => {
    const context = contextOf();
    const { lr, beta1, beta2, epsilon, weight_decay: weightDecay, clip_norm: clipNorm } = golden.optimizer;
    const optimizer = new Optimizer(context.model.parameters, { lr, beta1, beta2, epsilon, weightDecay, clipNorm });
    const curve = golden.steps_by_decayed_parameters.matrices;
    expect(curve).toHaveLength(10);
    curve.forEach((expected, step) => {
      const sums = accumulateGradients(context, [{ forget: batchAt('forget', step), replay: batchAt('replay', step) }]);
      const { loss, ...terms } = termMeans(sums, context.objective);
      const norm = optimizer.gradientNorm();
      expect(relativeError([loss], [expected.total])).toBeLessThanOrEqual(lossError);
      for (const term of ['forgetting', 'replay', 'mitigation'] as const) {
        expect(relativeError([terms[term]], [expected[term]])).toBeLessThanOrEqual(lossError);
      }
      expect(relativeError([norm], [expected.gradient_norm])).toBeLessThanOrEqual(lossError);
      optimizer.update(step + 1, lr, norm);
      optimizer.zeroGrad();
    });
    optimizer.dispose();
  });

  it('does not depend on how a step is cut into micro-batches', () => {
    const halves = (batch: Batch): Batch[] =>
      [0, 1].map((row) => {
        const cut = (values: Int32Array): Int32Array => values.slice(row * LENGTH, (row + 1) * LENGTH);
        const targets = cut(batch.targets);
        const parts = {
          ids: cut(batch.ids),
          targets,
          positions: cut(batch.positions),
          first: cut(batch.first),
          last: cut(batch.last),
        };
        return { ...batch, ...parts, numRows: 1, numTargets: targets.filter((id) => id >= 0).length };
      });
    const [forget, replay] = [batchAt('forget', 1), batchAt('replay', 1)];
    const whole = contextOf();
    accumulateGradients(whole, [{ forget, replay }]);
    const split = contextOf();
    const [f, r] = [halves(forget), halves(replay)];
    accumulateGradients(
      split,
      [0, 1].map((i) => ({ forget: f[i], replay: r[i] })),
    );
    whole.model.parameters.forEach(({ grad }, i) => {
      const other = split.model.parameters[i].grad;
      expect(relativeError(other.dataSync() as Float32Array, grad.dataSync() as Float32Array)).toBeLessThanOrEqual(
        gradientError / 10,
      );
    });
  });
});
