import { FORGETTING_METHODS, forgettingMethodNames } from '@lethe/losses';
import type { Batch } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama } from '@lethe/model';
import { type Precision, useDevice } from '@lethe/tensor';
import { needsOriginal, requireMethodOnDevice } from './original.js';
import type { TrainRecipe } from './recipe.js';
import { accumulateGradients, type StepContext } from './step.js';

const [V, T] = [50, 12];
const SIZES = { hiddenSize: 16, intermediateSize: 16, numLayers: 1, numHeads: 2, numKeyValueHeads: 2, headDim: 8 };
const config = baselm({ ...SIZES, vocabSize: V, maxPositions: T, initializerRange: 0.4, tieEmbeddings: true });
const beside = forgettingMethodNames.filter((method) => FORGETTING_METHODS[method].kind === 'logits');

/** Rows of two documents of six tokens; every fourth target is ignored. */
function batchOf(numRows: number, seed: number): Batch {
  const size = numRows * T;
  const numbers = (f: (n: number) => number): Int32Array => Int32Array.from({ length: size }, (_, n) => f(n));
  const ids = numbers((n) => (7 * n * n + 3 * n + seed) % V);
  const targets = numbers((n) => (n % 6 === 5 || n % 4 === 1 ? -1 : ids[n + 1]));
  return {
    ids,
    targets,
    positions: numbers((n) => n % 6),
    first: numbers((n) => (n % T) - (n % 6)),
    last: numbers((n) => n % T),
    numRows,
    rowLength: T,
    numTargets: targets.filter((id) => id >= 0).length,
    documents: [],
  };
}

function cut(batch: Batch, row: number): Batch {
  const of = (values: Int32Array): Int32Array => values.slice(row * T, (row + 1) * T);
  const { ids, positions, first, last } = batch;
  const targets = of(batch.targets);
  const rows = { ids: of(ids), positions: of(positions), first: of(first), last: of(last), targets, numRows: 1 };
  return { ...batch, ...rows, numTargets: targets.filter((id) => id >= 0).length };
}

const context = (method: TrainRecipe['objective']['method'], weights = { forgetting: 1, replay: 1, mitigation: 1 }) =>
  ({
    model: initializeLlama(config, 3),
    original: initializeLlama(config, 4),
    objective: { method, weights, reduction: 'mean' },
    recompute: false,
  }) as StepContext & { model: Llama };

const gradientsOf = ({ model }: { model: Llama }): number[] =>
  model.parameters.flatMap(({ grad }) => [...grad.dataSync()]);
const distance = (a: number[], b: number[]): number => Math.hypot(...a.map((x, i) => x - b[i])) / Math.hypot(...b);

describe('steps of methods beside the fused head', () => {
  const [forget, replay] = [batchOf(2, 1), batchOf(2, 5)];
  const halves = [0, 1].map((row) => ({ forget: cut(forget, row), replay: cut(replay, row) }));

  describe.each([
    ['fp32', 1e-5, 1e-5],
    ['bf16', 0.03, 0.03],
  ] as [Precision, number, number][])('in %s', (precision, lossError, gradientError) => {
    let truth: Map<string, { loss: number; gradients: number[] }>;
    beforeAll(async () => {
      await useDevice('lethe-reference');
      truth = new Map(
        beside.map((method) => {
          const one = context(method);
          const { forgetting } = accumulateGradients(one, [{ forget, replay }]);
          return [method, { loss: forgetting, gradients: gradientsOf(one) }];
        }),
      );
      await useDevice('lethe-cpu', precision);
    });

    it.each(beside)('%s is as on the reference device, however a step is cut', (method) => {
      for (const batches of [[{ forget, replay }], halves]) {
        const one = context(method);
        const { forgetting } = accumulateGradients(one, batches);
        const { loss, gradients } = truth.get(method)!;
        expect(Math.abs(forgetting - loss)).toBeLessThan(lossError * Math.max(1, Math.abs(loss)));
        expect(distance(gradientsOf(one), gradients)).toBeLessThan(gradientError);
      }
    });
  });

  it('count sequences with targets, over micro-batches', async () => {
    await useDevice('lethe-cpu');
    const sums = accumulateGradients(context('npo'), halves);
    expect([sums.forgetSequences, sums.forgetTargets]).toEqual([4, forget.numTargets]);
  });
});

describe('the original model', () => {
  const recipe = (method: string, mitigation: number, device = 'lethe-cpu') =>
    ({
      stage: 'unlearn',
      device,
      objective: { method, weights: { forgetting: 1, replay: 1, mitigation } },
    }) as TrainRecipe;

  it('is needed for mitigation, and by methods that compare with it', () => {
    expect([recipe('complement', 1), recipe('npo', 0), recipe('undial', 0)].map(needsOriginal)).toEqual([
      true,
      true,
      true,
    ]);
    expect([recipe('complement', 0), recipe('simnpo', 0)].map(needsOriginal)).toEqual([false, false]);
    expect(needsOriginal({ ...recipe('npo', 1), stage: 'pretrain' })).toBe(false);
  });

  it('methods on all logits are refused on CUDA, with those that it has', () => {
    expect(() => requireMethodOnDevice(recipe('ihl', 1, 'lethe-cuda'))).toThrow(
      'ihl needs all logits of a row, which lethe-cuda does not keep; use device: lethe-cpu, or one of complement, ga,',
    );
    expect(() => requireMethodOnDevice(recipe('complement-normalized', 1, 'lethe-cuda'))).not.toThrow();
    expect(() => requireMethodOnDevice(recipe('ihl', 1))).not.toThrow();
  });
});
