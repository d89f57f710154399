import * as tf from '@tensorflow/tfjs-core';
import { gradients, installedDevices, useDevice } from '@lethe/tensor';
import { logitForm } from './logit-forms.js';
import type { ForgettingLoss } from './methods.js';
import { type Objective, readSums, termMeans, unlearnLoss } from './objective.js';

const [V, D, FORGET, N] = [7, 4, 6, 9];
/** Row 2 is ignored; rows 0 to 2 are one sequence, 3 to 5 another; then replay rows. */
const TARGETS = [3, 0, -1, 6, 3, 5, 1, -1, 2];
const SEQUENCE_OF = [0, 0, 0, 3, 3, 3];
const FORGET_ROWS = [0, 1, 3, 4, 5];

const wave = (rows: number, columns: number, seed: number, scale: number): number[][] =>
  Array.from({ length: rows }, (_, n) =>
    Array.from({ length: columns }, (_unused, i) => Math.fround(scale * Math.sin(2.3 * n + 1.7 * i * i + seed))),
  );
const HIDDEN = wave(N, D, 0.3, 1.4);
const WEIGHT = wave(V, D, 1.1, 1.2);
const ORIGINAL_HIDDEN = wave(FORGET, D, 0.9, 1.1);
const ORIGINAL_WEIGHT = wave(V, D, 2.6, 1.3);

const sum = (values: number[]): number => values.reduce((total, x) => total + x, 0);
const softmax = (z: number[]): number[] => z.map((x) => Math.exp(x) / sum(z.map(Math.exp)));
const logitsOf = (h: number[], weight: number[][]): number[] => weight.map((w) => sum(w.map((x, d) => x * h[d])));

/** The sum of a method's loss over the forget rows, as docs/math.md, section 3 writes it; `fixed`: where weights come from. */
function textbook(method: string, h: number[][], W: number[][], fixed = { h, W }): number {
  const P = (n: number, hidden = h, weight = W): number[] => softmax(logitsOf(hidden[n], weight));
  const original = (n: number): number[] => logitsOf(ORIGINAL_HIDDEN[n], ORIGINAL_WEIGHT);
  const nll = (n: number): number => -Math.log(P(n)[TARGETS[n]]);
  const originalNll = (n: number): number => -Math.log(softmax(original(n))[TARGETS[n]]);
  const logSigmoid = (x: number): number => -Math.log(1 + Math.exp(-x));
  const sequences = [FORGET_ROWS.filter((n) => n < 3), FORGET_ROWS.filter((n) => n >= 3)];
  const forms: Record<string, (n: number) => number> = {
    'complement-normalized': (n) => -Math.log((1 - P(n)[TARGETS[n]]) / (V - 1)),
    'complement-softmax': (n) => -Math.log(softmax(P(n).map((p) => 1 - p))[TARGETS[n]]),
    ihl: (n) => 1 + P(n)[TARGETS[n]] - Math.max(...P(n).filter((_, v) => v !== TARGETS[n])),
    undial: (n) => {
      const teacher = softmax(original(n).map((x, v) => (v === TARGETS[n] ? x - 10 : x)));
      return -sum(teacher.map((t, v) => t * Math.log(P(n)[v])));
    },
    tnpo: (n) => {
      const p = P(n, fixed.h, fixed.W)[TARGETS[n]] ** 4;
      return (-2 * p * nll(n)) / (p + Math.exp(-originalNll(n)) ** 4);
    },
  };
  if (method === 'npo')
    return sum(sequences.map((rows) => -20 * logSigmoid(0.1 * sum(rows.map((n) => nll(n) - originalNll(n))))));
  if (method === 'simnpo')
    return sum(sequences.map((rows) => (-2 / 4.5) * logSigmoid((4.5 * sum(rows.map(nll))) / rows.length)));
  return sum(FORGET_ROWS.map(forms[method]));
}

/** Central differences of f at every entry of x. */
function differences(x: number[][], f: (changed: number[][]) => number): number[] {
  const step = 1e-5;
  return x.flatMap((row, i) =>
    row.map((_, j) => {
      const moved = (by: number): number[][] =>
        x.map((r, k) => (k === i ? r.map((value, l) => (l === j ? value + by : value)) : r));
      return (f(moved(step)) - f(moved(-step))) / (2 * step);
    }),
  );
}

const ONLY_FORGET = { forgetting: 1, replay: 0, mitigation: 0 };

function evaluate(loss: ForgettingLoss, weights = ONLY_FORGET, changes: object = {}) {
  const matrix = (rows: number[][]): tf.Tensor2D => tf.tensor2d(rows);
  const [hidden, weight] = [matrix(HIDDEN), matrix(WEIGHT)];
  const forget = {
    sequenceOf: SEQUENCE_OF,
    originalHidden: matrix(ORIGINAL_HIDDEN),
    originalWeight: matrix(ORIGINAL_WEIGHT),
    ...changes,
  };
  const objective: Objective = { ...loss, weights, reduction: 'sum' };
  let sums: ReturnType<typeof readSums> | undefined;
  const { value, gradients: found } = gradients(() => {
    const inputs = { hidden, weight, targets: tf.tensor1d(TARGETS, 'int32') };
    const result = unlearnLoss(inputs, FORGET, objective, { forget: 1, replay: 1 }, forget);
    sums = readSums(result.sums);
    return result.loss;
  }, [hidden, weight]);
  const [dhidden, dweight] = found.map((gradient) => [...gradient!.dataSync()]);
  return { loss: value.dataSync()[0], sums: sums!, dhidden, dweight, objective };
}

function expectClose(received: number[], expected: number[], tolerance: number): void {
  expect(received).toHaveLength(expected.length);
  received.forEach((x, i) => {
    if (!(Math.abs(x - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i]))))
      throw new Error(`index ${i}: received ${x}, expected ${expected[i]}`);
  });
}

const METHODS = [
  'complement-normalized',
  'complement-softmax',
  'ihl',
  'undial',
  'tnpo',
  'npo',
  'simnpo',
] as ForgettingLoss['method'][];

describe.each(installedDevices())('forgetting beside the head on %s', (device) => {
  beforeAll(() => useDevice(device));

  it.each(METHODS)('%s is its formula', (method) => {
    const { loss, sums } = evaluate({ method });
    expectClose([loss, sums.forgetting], Array<number>(2).fill(textbook(method, HIDDEN, WEIGHT)), 3e-6);
    const p = FORGET_ROWS.map((n) => softmax(logitsOf(HIDDEN[n], WEIGHT))[TARGETS[n]]);
    expectClose([sums.forgetP, sums.forgetTargets], [sum(p), 5], 1e-6);
    expect(sums.forgetSequences).toBe(method === 'npo' || method === 'simnpo' ? 2 : 0);
  });

  it.each(METHODS)('%s has the gradient of its formula, its weights held fixed', (method) => {
    const { dhidden, dweight } = evaluate({ method });
    const fixed = { h: HIDDEN, W: WEIGHT };
    expectClose(
      dhidden,
      differences(HIDDEN, (h) => textbook(method, h, WEIGHT, fixed)),
      1e-5,
    );
    expectClose(
      dweight,
      differences(WEIGHT, (W) => textbook(method, HIDDEN, W, fixed)),
      1e-5,
    );
  });

  it('adds to the replay rows what the head makes of them alone', () => {
    const weights = { forgetting: 0.5, replay: 2, mitigation: 0 };
    const [both, forget, replay] = [
      evaluate({ method: 'ihl' }, weights),
      evaluate({ method: 'ihl' }, { ...weights, replay: 0 }),
      evaluate({ method: 'ihl' }, { ...weights, forgetting: 0 }),
    ];
    for (const key of ['dhidden', 'dweight'] as const)
      expectClose(
        both[key],
        forget[key].map((x, i) => x + replay[key][i]),
        1e-6,
      );
    expect(both.sums.replayTargets).toBe(2);
    expect(both.loss).toBeCloseTo(forget.loss + replay.loss, 5);
    // Without weight the loss is still told.
    expect(replay.sums.forgetting).toBeCloseTo(both.sums.forgetting, 6);
    expect(replay.dhidden.slice(0, FORGET * D).every((x) => x === 0)).toBe(true);
  });
});

describe('a method of whole sequences', () => {
  beforeAll(() => useDevice('lethe-cpu'));

  it('has a mean over sequences', () => {
    const { sums, objective } = evaluate({ method: 'npo' });
    const means = termMeans(sums, { ...objective, reduction: 'mean' });
    expect(means.forgetting).toBeCloseTo(sums.forgetting / 2, 9);
    expect(means.loss).toBeCloseTo(means.forgetting, 9);
  });

  it('needs the sequences, and npo the original model', () => {
    expect(() =>
      evaluate({ method: 'npo' }, ONLY_FORGET, { sequenceOf: undefined, originalHidden: undefined }),
    ).toThrow('npo: expected forget rows with originalHidden and originalWeight and sequenceOf, received none');
    expect(() => evaluate({ method: 'simnpo' }, ONLY_FORGET, { originalHidden: undefined })).not.toThrow();
  });
});

it('inverted hinge and complement-softmax stay finite where p is 1 or 0', async () => {
  await useDevice('lethe-cpu');
  for (const method of ['ihl', 'complement-softmax', 'undial', 'tnpo'] as const) {
    const hidden = tf.tensor2d([[200], [-500]]);
    const weight = tf.tensor2d([[1], [-1], [0]]);
    const inputs = { hidden, weight, targets: tf.tensor1d([0, 0], 'int32') };
    const objective: Objective = { method, weights: ONLY_FORGET, reduction: 'sum' };
    const { value, gradients: found } = gradients(
      () =>
        unlearnLoss(inputs, 2, objective, { forget: 2, replay: 0 }, { originalHidden: hidden, originalWeight: weight })
          .loss,
      [hidden],
    );
    expect([...value.dataSync(), ...found[0]!.dataSync()].every(Number.isFinite)).toBe(true);
  }
});

it('a method of the fused head has no form of logits', () => {
  expect(() => logitForm({ method: 'complement' })).toThrow("logitForm: complement is the fused head's");
});
