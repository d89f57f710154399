// docs/math.md, section 2: each formula that one might write for -log(1 - p) fails in fp32 where ours does not.
import * as tf from '@tensorflow/tfjs-core';
import { gradients, installedDevices, useDevice } from '@lethe/tensor';
import { type Objective, unlearnLoss } from './objective.js';

const V = 32000;
const ONLY_FORGETTING: Objective = {
  weights: { forgetting: 1, replay: 0, mitigation: 0 },
  method: 'complement',
  reduction: 'mean',
};

/** Loss and its derivative with respect to the target's logit. */
interface Measured {
  loss: number;
  slope: number;
}

// One row, target 0, whose logit is chosen so that the margin m is given; the other V - 1 logits are 0.
const targetLogit = (m: number): number => m + Math.log(V - 1);
const unit = (): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: V }, (_, v) => (v === 0 ? 1 : 0)),
    [V, 1],
  );

/** The fused head: hidden [1, 1] is the target's logit. */
function ours(m: number): Measured {
  const hidden = tf.tensor2d([[targetLogit(m)]]);
  const inputs = { hidden, weight: unit(), targets: tf.tensor1d([0], 'int32') };
  const counts = { forget: 1, replay: 0 };
  const { value, gradients: found } = gradients(() => unlearnLoss(inputs, 1, ONLY_FORGETTING, counts).loss, [hidden]);
  return { loss: value.dataSync()[0], slope: found[0]!.dataSync()[0] };
}

const f32 = Math.fround;

/** p of the target in fp32, as a softmax that adds up its terms in order computes it. */
function softmaxOfTarget(m: number): number {
  const other = f32(Math.exp(f32(-targetLogit(m))));
  let sum = 1; // The target's own term, exp(0).
  for (let v = 1; v < V; v++) sum = f32(sum + other);
  return f32(1 / sum);
}

/** A loss of p and its derivative by the chain rule dl/dz = dl/dp * p (1 - p), every step rounded to fp32. */
function written(loss: (p: number) => number, derivative: (p: number) => number): (m: number) => Measured {
  return (m) => {
    const p = softmaxOfTarget(m);
    return { loss: f32(loss(p)), slope: f32(f32(derivative(p)) * f32(p * f32(1 - p))) };
  };
}

const truth = (m: number): Measured => ({
  loss: Math.max(m, 0) + Math.log1p(Math.exp(-Math.abs(m))),
  slope: 1 / (1 + Math.exp(-m)),
});

const MARGINS = [-20, -8, -1, 0, 1, 4, 8, 12, 16, 18, 24, 30];

describe.each(installedDevices())('softplus of the excluded log-sum-exp on %s', (device) => {
  beforeAll(() => useDevice(device));

  it.each(MARGINS)('margin %d: loss and gradient within 2e-6', (m) => {
    const { loss, slope } = ours(m);
    // The logit is stored in fp32, so that the margin itself is only known to half a unit of its last place.
    const rounding = Math.abs(Math.fround(targetLogit(m)) - targetLogit(m)) + 2e-6;
    expect(Math.abs(loss - truth(m).loss)).toBeLessThanOrEqual(rounding * Math.max(1, truth(m).loss));
    expect(Math.abs(slope - truth(m).slope)).toBeLessThanOrEqual(rounding);
  });
});

describe('the other formulas, in fp32', () => {
  beforeAll(() => useDevice('lethe-cpu'));

  it('log1p(-softmax) has neither a finite loss nor a gradient once p rounds to 1', () => {
    const naive = written(
      (p) => -Math.log1p(-p),
      (p) => 1 / f32(1 - p),
    );
    expect(naive(1).loss).toBeCloseTo(truth(1).loss, 2);
    expect(naive(1).slope).toBeCloseTo(truth(1).slope, 2);
    for (const m of [16, 18, 24, 30]) {
      expect(naive(m)).toEqual({ loss: Infinity, slope: NaN });
      expect(ours(m).loss).toBeCloseTo(m, 4);
      expect(ours(m).slope).toBeCloseTo(1, 6);
    }
  });

  it('a clamp of 1 - p gives the most over-fitted tokens no signal', () => {
    const clamped = written(
      (p) => -Math.log(Math.max(f32(1 - p), 1e-5)),
      (p) => (f32(1 - p) > 1e-5 ? 1 / f32(1 - p) : 0),
    );
    expect(clamped(4).slope).toBeCloseTo(truth(4).slope, 2);
    for (const m of [12, 16, 30]) {
      expect(clamped(m).slope).toBe(0);
      expect(ours(m).slope).toBeCloseTo(1, 4);
    }
  });

  it('an epsilon saturates at 18.4, with a vanishing gradient', () => {
    const padded = written(
      (p) => -Math.log(f32(f32(1 - p) + 1e-8)),
      (p) => 1 / f32(f32(1 - p) + 1e-8),
    );
    expect(padded(4).loss).toBeCloseTo(truth(4).loss, 1);
    for (const m of [20, 30]) {
      expect(padded(m).loss).toBeCloseTo(18.42, 1);
      expect(padded(m).slope).toBe(0);
      expect(ours(m).loss).toBeCloseTo(m, 4);
    }
  });
});
