import * as tf from '@tensorflow/tfjs-core';
import { gradients, type HeadInputs, installedDevices, useDevice } from '@lethe/tensor';
import { addSums, type Objective, readSums, termMeans, termScales, type TermSums, unlearnLoss } from './objective.js';

// With the identity as output embedding the hidden states are the logits themselves: logits_NV, V = 23.
const V = 23;
const PAPER: Objective = {
  weights: { forgetting: 0.01, replay: 1, mitigation: 1 },
  method: 'complement',
  reduction: 'mean',
};
const NO_SUMS: TermSums = {
  heldTargets: 0,
  forgetting: 0,
  replay: 0,
  mitigation: 0,
  forgetTargets: 0,
  replayTargets: 0,
  forgetP: 0,
  push: 0,
  forgetSequences: 0,
};

/** Deterministic logits in (-scale, scale) with one outlier x20 in each row. */
function logitsOf(numRows: number, seed: number, scale = 2): number[][] {
  return Array.from({ length: numRows }, (_, n) =>
    Array.from(
      { length: V },
      (_unused, v) => scale * Math.sin(7.3 * n + 1.91 * v + seed) * ((v + n) % V === 3 ? 20 : 1),
    ),
  );
}

interface Rows {
  logits: number[][];
  targets: number[];
  numForget: number;
  original?: number[][];
}

interface Result {
  loss: number;
  sums: TermSums;
  /** Gradient of the loss with respect to the logits. */
  dlogits: number[][];
}

function evaluate({ logits, targets, numForget, original }: Rows, objective: Objective): Result {
  const matrix = (rows: number[][]): tf.Tensor => tf.tensor2d(rows.flat(), [rows.length, V]);
  const identity = tf.tensor2d(
    Float32Array.from({ length: V * V }, (_, i) => (i % (V + 1) === 0 ? 1 : 0)),
    [V, V],
  );
  const hidden = matrix(logits);
  const inputs: HeadInputs = { hidden, weight: identity, targets: tf.tensor1d(targets, 'int32') };
  if (original) Object.assign(inputs, { originalHidden: matrix(original), originalWeight: identity });
  const counts = {
    forget: targets.slice(0, numForget).filter((id) => id >= 0).length,
    replay: targets.slice(numForget).filter((id) => id >= 0).length,
  };
  let sums = NO_SUMS;
  const { value, gradients: found } = gradients(() => {
    const result = unlearnLoss(inputs, numForget, objective, counts);
    sums = readSums(result.sums);
    return result.loss;
  }, [hidden]);
  return { loss: value.dataSync()[0], sums, dlogits: found[0]!.arraySync() as number[][] };
}

const logSumExp = (z: number[]): number => {
  const top = Math.max(...z);
  return top + Math.log(z.reduce((sum, x) => sum + Math.exp(x - top), 0));
};
const softmax = (z: number[]): number[] => z.map((x) => Math.exp(x - logSumExp(z)));
const margin = (z: number[], y: number): number => z[y] - logSumExp(z.filter((_, v) => v !== y));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const total = (values: number[]): number => values.reduce((sum, x) => sum + x, 0);
const fround = (rows: number[][]): number[][] => rows.map((row) => row.map(Math.fround));

function expectClose(received: number[], expected: number[], tolerance: number): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  received.forEach((x, i) => {
    if (!(Math.abs(x - expected[i]) <= tolerance * scale))
      throw new Error(`index ${i}: received ${x}, expected ${expected[i]}`);
  });
}

describe('the weights of a step', () => {
  const weights = { forgetting: 0.02, replay: 3, mitigation: 5 };

  it('are divided by each stream’s targets for a mean, and kept for a sum', () => {
    const counts = { forget: 4, replay: 10 };
    expect(termScales({ ...PAPER, weights }, counts)).toEqual({ forgetting: 0.005, replay: 0.3, mitigation: 0.5 });
    expect(termScales({ ...PAPER, weights, reduction: 'sum' }, counts)).toEqual(weights);
  });

  it.each(['mean', 'sum'] as const)('are 0 for a stream without targets (%s)', (reduction) => {
    const objective = { ...PAPER, weights, reduction };
    expect(termScales(objective, { forget: 0, replay: 0 })).toEqual({ forgetting: 0, replay: 0, mitigation: 0 });
    expect(termScales(objective, { forget: 0, replay: 2 }).forgetting).toBe(0);
    expect(termScales(objective, { forget: 2, replay: 0 })).toMatchObject({ replay: 0, mitigation: 0 });
  });

  it('micro-batches add up by tokens: means are of all targets, not of the micro-batches’ means', () => {
    const one = {
      ...NO_SUMS,
      forgetting: 6,
      forgetTargets: 3,
      replay: 2,
      mitigation: 1,
      replayTargets: 1,
      heldTargets: 1,
    };
    const two = {
      ...NO_SUMS,
      forgetting: 2,
      forgetTargets: 1,
      replay: 10,
      mitigation: 2,
      replayTargets: 9,
      heldTargets: 9,
    };
    const means = termMeans(addSums(one, two), PAPER);
    expect(means).toMatchObject({ forgetting: 2, replay: 1.2, mitigation: 0.3 });
    expect(means.loss).toBeCloseTo(0.01 * 2 + 1.2 + 0.3, 12);
  });

  it('a term without tokens is 0', () => {
    expect(termMeans(NO_SUMS, PAPER)).toEqual({ forgetting: 0, replay: 0, mitigation: 0, loss: 0 });
  });
});

describe.each(installedDevices())('the objective on %s', (device) => {
  beforeAll(() => useDevice(device));

  const logits = fround(logitsOf(9, 0.4));
  const original = fround(logitsOf(5, 2.2));
  const targets = [3, 0, -1, 22, 3, 7, -1, 4, 11];
  const rows = { logits, targets, numForget: 4, original };

  it('is the paper’s three terms', () => {
    const { loss, sums } = evaluate(rows, PAPER);
    const forget = [0, 1, 3].map((n) => softplus(margin(logits[n], targets[n])));
    const kept = [4, 5, 7, 8];
    const replay = kept.map((n) => logSumExp(logits[n]) - logits[n][targets[n]]);
    const kl = kept.map((n) => {
      const [p0, p] = [softmax(original[n - 4]), softmax(logits[n])];
      return total(p0.map((x, v) => (x === 0 ? 0 : x * Math.log(x / p[v]))));
    });
    expectClose([sums.forgetting, sums.replay, sums.mitigation], [total(forget), total(replay), total(kl)], 2e-6);
    expect([sums.forgetTargets, sums.replayTargets]).toEqual([3, 4]);
    expectClose([loss], [(0.01 * total(forget)) / 3 + total(replay) / 4 + total(kl) / 4], 2e-6);
    expectClose([termMeans(sums, PAPER).loss], [loss], 1e-6);
  });

  it('has the closed-form gradient of each term', () => {
    const { dlogits } = evaluate(rows, { ...PAPER, weights: { forgetting: 0.3, replay: 2, mitigation: 0.5 } });
    logits.forEach((z, n) => {
      const [y, q] = [targets[n], softmax(z)];
      let expected = z.map(() => 0);
      if (y >= 0 && n < 4) expected = q.map((x, v) => (0.3 / 3) * (v === y ? q[y] : (-q[y] * x) / (1 - q[y])));
      if (y >= 0 && n >= 4) {
        const p0 = softmax(original[n - 4]);
        expected = q.map((x, v) => (2 / 4) * (x - (v === y ? 1 : 0)) + (0.5 / 4) * (x - p0[v]));
      }
      expectClose(dlogits[n], expected, 2e-6);
    });
  });

  it('L_fgt and KL are never negative, and KL is 0 where the student is the original', () => {
    for (let seed = 0; seed < 20; seed++) {
      const other = logitsOf(5, seed, 0.1 * seed);
      const { sums } = evaluate({ ...rows, logits: logitsOf(9, seed), original: other }, PAPER);
      expect(sums.forgetting).toBeGreaterThanOrEqual(0);
      expect(sums.mitigation).toBeGreaterThan(0);
    }
    const { sums, dlogits } = evaluate(
      { ...rows, original: logits.slice(4) },
      { ...PAPER, weights: { forgetting: 0, replay: 0, mitigation: 1 } },
    );
    expect(Math.abs(sums.mitigation)).toBeLessThan(1e-6);
    expectClose(
      dlogits.flat(),
      dlogits.flat().map(() => 0),
      1e-7,
    );
  });

  it('does not change when a constant is added to the logits of a row', () => {
    const before = evaluate(rows, PAPER);
    const shifted = logits.map((row, n) => row.map((z) => z + 64 * ((n % 3) - 1)));
    const after = evaluate(
      { ...rows, logits: shifted, original: original.map((row) => row.map((z) => z - 32)) },
      PAPER,
    );
    expectClose([after.loss], [before.loss], 1e-5);
    expectClose(after.dlogits.flat(), before.dlogits.flat(), 1e-5);
  });

  it('ignored rows change nothing, and get no gradient', () => {
    const kept = targets.flatMap((id, n) => (id >= 0 ? [n] : []));
    const cut = {
      logits: kept.map((n) => logits[n]),
      targets: kept.map((n) => targets[n]),
      numForget: 3,
      original: kept.filter((n) => n >= 4).map((n) => original[n - 4]),
    };
    const [whole, compact] = [evaluate(rows, PAPER), evaluate(cut, PAPER)];
    expectClose([whole.loss], [compact.loss], 1e-6);
    expectClose(
      kept.flatMap((n) => whole.dlogits[n]),
      compact.dlogits.flat(),
      1e-6,
    );
    expect([...whole.dlogits[2], ...whole.dlogits[6]].every((x) => x === 0)).toBe(true);
  });

  it('a stream whose rows are all ignored contributes 0, not NaN', () => {
    const none = { ...rows, targets: targets.map(() => -1) };
    const { loss, sums, dlogits } = evaluate(none, PAPER);
    expect(loss).toBe(0);
    expect(sums).toEqual(NO_SUMS);
    expect(dlogits.flat().every((x) => x === 0)).toBe(true);
    const onlyReplay = evaluate({ ...rows, targets: targets.map((id, n) => (n < 4 ? -1 : id)) }, PAPER);
    expect(onlyReplay.sums.forgetting).toBe(0);
    expect(onlyReplay.loss).toBeGreaterThan(0);
    expect(onlyReplay.dlogits.flat().every(Number.isFinite)).toBe(true);
  });

  it('gradient ascent is unbounded below and pushes for ever; the complement ends at 0 and lets go', () => {
    const only = { weights: { forgetting: 1, replay: 0, mitigation: 0 }, reduction: 'mean' as const };
    const at = (z: number): Rows => ({ logits: [[z, ...Array<number>(V - 1).fill(0)]], targets: [0], numForget: 1 });
    const run = (z: number, method: Objective['method']): Result => evaluate(at(z), { ...only, method });
    const forgotten = -40;
    const [ga, complement] = [run(forgotten, 'ga'), run(forgotten, 'complement')];
    expect(ga.loss).toBeCloseTo(forgotten - Math.log(V - 1), 4);
    expect(ga.sums.push).toBeCloseTo(1, 6);
    expect(ga.dlogits[0][0]).toBeCloseTo(1, 6);
    expect(complement.loss).toBeGreaterThanOrEqual(0);
    expect(complement.loss).toBeLessThan(1e-15);
    expect(Math.abs(complement.dlogits[0][0])).toBeLessThan(1e-15);
    const memorised = 20;
    expect(Math.abs(run(memorised, 'ga').dlogits[0][0])).toBeLessThan(1e-6);
    expect(run(memorised, 'complement').dlogits[0][0]).toBeCloseTo(1, 5);
  });
});
