import * as tf from '@tensorflow/tfjs-core';
import { installedDevices, Parameter, useDevice } from '@lethe/tensor';
import {
  assertFinite,
  assertFiniteWeights,
  hasFiniteWeights,
  NonFiniteError,
  requireFiniteStart,
} from './non-finite.js';
import { Optimizer } from './optimizer.js';

const OPTIONS = { lr: 0.1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.5, clipNorm: 1 };
const SUMS = {
  forgetting: 0,
  replay: 1,
  mitigation: 0,
  forgetTargets: 0,
  replayTargets: 1,
  forgetP: 0,
  push: 0,
  forgetSequences: 0,
  heldTargets: 0,
};

describe.each(installedDevices())('the optimizer on %s', (device) => {
  beforeAll(() => useDevice(device));

  const matrix = (name = 'matrix'): Parameter => new Parameter(name, tf.tensor2d([[1, -2]]));
  const vector = (): Parameter => new Parameter('norm', tf.tensor1d([1, -2]));
  const valuesOf = ({ value }: Parameter): number[] => [...value.dataSync()];

  it('decays matrices and not vectors', () => {
    const parameters = [matrix(), vector()];
    const optimizer = new Optimizer(parameters, OPTIONS);
    optimizer.update(1, 0.1, 0); // Gradients are zero: what moves is decay alone.
    valuesOf(parameters[0]).forEach((x, i) => expect(x).toBeCloseTo([0.95, -1.9][i], 6));
    expect(valuesOf(parameters[1])).toEqual([1, -2]);
  });

  it('clips by the norm over all parameters: the moments hold the scaled gradient', () => {
    const parameters = [matrix(), vector()];
    const optimizer = new Optimizer(parameters, OPTIONS);
    parameters[0].setGrad(tf.tensor2d([[3, 0]]));
    parameters[1].setGrad(tf.tensor1d([0, 4]));
    expect(optimizer.gradientNorm()).toBeCloseTo(5, 5);
    optimizer.update(1, 0.1, 5);
    const m = (name: string): number[] => [...optimizer.moments.get(name)!.m.dataSync()];
    expect(m('matrix')[0]).toBeCloseTo((0.1 * 3) / 5, 6);
    expect(m('norm')[1]).toBeCloseTo((0.1 * 4) / 5, 6);
    optimizer.zeroGrad();
    expect(optimizer.gradientNorm()).toBe(0);
  });

  it('leaves a gradient within the limit alone', () => {
    const parameter = vector();
    const optimizer = new Optimizer([parameter], OPTIONS);
    parameter.setGrad(tf.tensor1d([0.3, 0]));
    optimizer.update(1, 0.1, 0.3);
    expect(optimizer.moments.get('norm')!.m.dataSync()[0]).toBeCloseTo(0.03, 6);
    expect(valuesOf(parameter)[0]).toBeCloseTo(1 - 0.1, 4); // Adam's first step is lr in the gradient's direction.
  });

  it('what is not finite is named: the term, the gradient, the weight, the batch', () => {
    const [good, bad] = [vector(), matrix('poisoned')];
    bad.value.assign(tf.tensor2d([[NaN, 1]]));
    bad.setGrad(tf.tensor2d([[Infinity, 0]]));
    const where = { parameters: [good, bad], batches: [] };
    expect(() => assertFinite(3, SUMS, 1, where)).not.toThrow();
    const failing = (): void => assertFinite(3, { ...SUMS, replay: NaN }, NaN, where);
    expect(failing).toThrow(NonFiniteError);
    expect(failing).toThrow(/step 3: the replay loss is NaN, the gradient of poisoned .*, the weight poisoned/);
    expect(failing).toThrow('Training stopped before this update');
    const after = (): void => assertFinite(3, { ...SUMS, replay: NaN }, 0, { ...where, isAfter: true });
    expect(after).toThrow('So the weights after that step are not saved');
    expect(() => requireFiniteStart([good, bad], 'models/x')).toThrow(
      "models/x: tensor 'poisoned' holds NaN at element 0 of [1, 2]; take another checkpoint",
    );
    const huge = vector();
    huge.value.assign(tf.tensor1d([3e38, 3e38]));
    expect(() => requireFiniteStart([good, huge], 'models/x')).not.toThrow();
    expect(hasFiniteWeights([good])).toBe(true);
    expect(hasFiniteWeights([good, bad])).toBe(false);
    expect(() => assertFiniteWeights(7, [good])).not.toThrow();
    expect(() => assertFiniteWeights(7, [good, bad])).toThrow(/step 7 left the weight poisoned not finite/);
  });
});
