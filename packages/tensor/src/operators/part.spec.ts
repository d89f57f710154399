import * as tf from '@tensorflow/tfjs-core';
import { useDevice } from '../devices.js';
import { Parameter } from '../parameter.js';
import { adamw, adamwPart, type Moments } from './adamw.js';
import { partOfRank, readPart, writePart } from './part.js';

const options = { lr: 0.1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradScale: 0.5, step: 1 };
const ramp = (count: number, scale: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * scale) + i * scale);

function filled(): Parameter {
  const parameter = new Parameter('x', tf.tensor2d(ramp(77, 0.3), [7, 11]));
  parameter.setGrad(tf.tensor2d(ramp(77, 0.7), [7, 11]));
  return parameter;
}

const moments = (count: number): Moments => ({
  m: tf.variable(tf.fill([count], 0.25)),
  v: tf.variable(tf.fill([count], 0.5)),
});

it('parts are equal and in order; what is left is every rank’s', () => {
  expect([0, 1, 2].map((rank) => partOfRank(11, { rank, size: 3 }))).toEqual([
    { start: 0, count: 3, rest: 2 },
    { start: 3, count: 3, rest: 2 },
    { start: 6, count: 3, rest: 2 },
  ]);
});

it.each(['lethe-cpu', 'lethe-reference'] as const)(
  'on %s the updates of all parts are the update of the whole',
  async (device) => {
    await useDevice(device);
    const whole = filled();
    adamw(whole, moments(77), options);
    const expected = await whole.value.data();
    for (const size of [2, 3, 12]) {
      const divided = filled();
      for (let rank = 0; rank < size; rank++) {
        const mine = filled();
        const part = partOfRank(77, { rank, size });
        adamwPart(mine, moments(part.count + part.rest), part, options);
        writePart(divided.value, part, readPart(mine.value, part));
      }
      expect([...(await divided.value.data())]).toEqual([...expected]);
    }
  },
);

it('a device that does not write in place is refused', async () => {
  await useDevice('cpu');
  expect(() => writePart(tf.zeros([4]), { start: 0, count: 2, rest: 0 }, tf.zeros([2]))).toThrow('a lethe-* device');
});
