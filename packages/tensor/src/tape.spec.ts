import * as tf from '@tensorflow/tfjs-core';
import { installedDevices, useDevice } from './devices.js';
import { add } from './operators/add.js';
import { embedding } from './operators/embedding.js';
import { linear } from './operators/linear.js';
import { swiglu } from './operators/swiglu.js';
import { Parameter } from './parameter.js';
import { backward, checkpoint, gradients, noGrad, scope } from './tape.js';

const tensor = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * 1.7 + seed)),
    shape,
  );

/** Four residual blocks over shared weights: gradients must add up. */
function network(
  x: tf.Tensor,
  weights: Parameter[],
  wrap: (f: (y: tf.Tensor) => tf.Tensor, y: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const block = (y: tf.Tensor): tf.Tensor => add(y, linear(swiglu(linear(y, weights[0].value), y), weights[1].value));
  let y = x;
  for (let i = 0; i < 4; i++) y = wrap(block, y);
  return linear(y, weights[2].value);
}

describe.each(installedDevices())('the reverse pass on %s', (device) => {
  beforeAll(() => useDevice(device));

  const parameters = (): Parameter[] => [
    new Parameter('a', tensor([6, 6], 1)),
    new Parameter('b', tensor([6, 6], 2)),
    new Parameter('c', tensor([1, 6], 3)),
  ];
  const sumOfRows = (y: tf.Tensor): tf.Tensor =>
    linear(
      tf.fill([1, 4], 1),
      scope(() => tf.reshape(y, [1, 4])),
    );

  function run(wrap: (f: (y: tf.Tensor) => tf.Tensor, y: tf.Tensor) => tf.Tensor): Float32Array[] {
    const weights = parameters();
    const x = tensor([4, 6], 4);
    const { gradients: found } = gradients(() => network(x, weights, wrap), [x, ...weights.map(({ value }) => value)]);
    const values = found.map((gradient) => gradient!.dataSync() as Float32Array);
    tf.dispose([x, ...found.map((gradient) => gradient!)]);
    for (const weight of weights) weight.dispose();
    return values;
  }

  it('gives the same gradients with scopes and without', () => {
    const plain = run((f, y) => f(y));
    const scoped = run((f, y) => scope(() => f(y)));
    scoped.forEach((values, i) => expect(values).toEqual(plain[i]));
  });

  it('recomputes a checkpointed block with equal parameter gradients', () => {
    const gradientsWith = (wrap: (f: (y: tf.Tensor) => tf.Tensor, y: tf.Tensor) => tf.Tensor): Float32Array[] => {
      const weights = parameters();
      const x = tensor([4, 6], 4);
      backward(() => network(x, weights, wrap), weights).dispose();
      return weights.map(({ grad }) => grad.dataSync() as Float32Array);
    };
    const plain = gradientsWith((f, y) => scope(() => f(y)));
    const recomputed = gradientsWith((f, y) => checkpoint(f, y));
    recomputed.forEach((values, i) => values.forEach((value, j) => expect(value / plain[i][j]).toBeCloseTo(1, 5)));
  });

  it('leaves no tensors behind', () => {
    const weights = parameters();
    const x = tensor([4, 6], 4);
    const step = (): void => {
      backward(() => network(x, weights, (f, y) => checkpoint(f, y)), weights).dispose();
      backward(() => network(x, weights, (f, y) => scope(() => f(y))), weights).dispose();
    };
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('adds gradients of several passes', () => {
    const weights = parameters();
    const x = tensor([4, 6], 4);
    const pass = (): void => backward(() => network(x, weights, (f, y) => scope(() => f(y))), weights).dispose();
    pass();
    const once = weights.map(({ grad }) => Float32Array.from(grad.dataSync()));
    pass();
    weights.forEach(({ grad }, i) =>
      grad.dataSync().forEach((value, j) => expect(value / (2 * once[i][j])).toBeCloseTo(1, 5)),
    );
  });

  it.each<[string, (f: (y: tf.Tensor) => tf.Tensor, y: tf.Tensor) => tf.Tensor]>([
    ['kept', (f, y) => scope(() => f(y))],
    ['recomputed', (f, y) => checkpoint(f, y)],
  ])('tells of each gradient when all that adds to it is done: activations %s', (_, wrap) => {
    const weights = parameters();
    const x = tensor([4, 6], 4);
    const told: [string, Float32Array][] = [];
    const isFinal = (parameter: Parameter): void =>
      void told.push([parameter.name, Float32Array.from(parameter.grad.dataSync())]);
    backward(() => network(x, weights, wrap), weights, isFinal).dispose();
    // The last layer's first; then what four blocks share, once the first of them is done.
    expect(told.map(([name]) => name)[0]).toBe('c');
    expect(told.map(([name]) => name).sort()).toEqual(['a', 'b', 'c']);
    const found = new Map(told);
    for (const { name, grad } of weights) expect(found.get(name)).toEqual(grad.dataSync());
  });

  it('tells of a parameter that is both table and head when both have added to it, and of none that is not read', () => {
    const [weight, unread] = parameters();
    const ids = tf.tensor1d([1, 3, 3, 0], 'int32');
    const told: [string, Float32Array][] = [];
    const tied = (): tf.Tensor => linear(linear(embedding(ids, weight.value), weight.value), tensor([1, 6], 5));
    const isFinal = ({ name, grad }: Parameter): void => void told.push([name, Float32Array.from(grad.dataSync())]);
    backward(tied, [weight, unread], isFinal).dispose();
    expect(told).toEqual([['a', weight.grad.dataSync()]]);
  });

  it('records nothing inside noGrad', () => {
    const [weight] = parameters();
    const x = tensor([4, 6], 4);
    const { gradients: found } = gradients(() => noGrad(() => sumOfRows(linear(x, tensor([1, 6], 5)))), [x]);
    expect(found[0]).toBeUndefined();
    weight.dispose();
  });

  it('refuses a result that no parameter reaches', () => {
    const weights = parameters();
    expect(() => backward(() => tf.scalar(1), weights)).toThrow(/depends on none of the parameters/);
    for (const weight of weights) weight.dispose();
  });

  it('a checkpoint outside of a pass is its function', () => {
    const x = tensor([4, 6], 4);
    const y = checkpoint((z) => swiglu(z, z), x);
    expect(y.dataSync()).toEqual(swiglu(x, x).dataSync());
  });

  it('a scope keeps several results, and skips what the result does not need', () => {
    const x = tensor([4, 6], 4);
    const other = (): tf.Tensor[] => scope(() => [add(x, x), swiglu(x, x)]);
    const { gradients: found } = gradients(() => other()[0], [x]);
    expect(found[0]!.dataSync()).toEqual(new Float32Array(24).fill(2));
  });

  it('keeps the gradient of an intermediate that is asked for, and the seed that is given', () => {
    const x = tensor([4, 6], 4);
    const seed = tf.fill([4, 6], 3);
    const { value, gradients: found } = gradients(() => add(x, add(x, x)), [x], seed);
    expect(found[0]!.dataSync()).toEqual(new Float32Array(24).fill(9));
    expect(seed.dataSync()).toEqual(new Float32Array(24).fill(3));
    tf.dispose([value, seed]);
    const { gradients: twice } = gradients(() => add(x, x), [x]);
    expect(twice[0]!.dataSync()).toEqual(new Float32Array(24).fill(2));
  });
});

describe('in-place updates', () => {
  it('are refused on storage that another tensor shares', async () => {
    await useDevice('lethe-cpu');
    const parameter = new Parameter('shared', tensor([2, 2], 1));
    parameter.assertUnshared();
    const other = tf.clone(parameter.value);
    expect(() => parameter.assertUnshared()).toThrow(/parameter shared shares its storage/);
    other.dispose();
    parameter.assertUnshared();
  });
});
