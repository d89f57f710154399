import * as tf from '@tensorflow/tfjs-core';
import { installedDevices, useDevice } from '../devices.js';
import { appendRows } from './append-rows.js';

describe.each(installedDevices())('appendRows on %s', (device) => {
  beforeAll(() => useDevice(device));

  // Two sequences of four rows of three numbers; 100 and more are what was there.
  const cache = (): tf.Variable =>
    tf.variable(
      tf.tensor3d(
        Array.from({ length: 24 }, (_, i) => 100 + i),
        [2, 4, 3],
      ),
    );
  const rows = tf.tensor2d(
    Array.from({ length: 12 }, (_, i) => i),
    [4, 3],
  );

  it.each([0, 1, 2])('writes two rows of each sequence at row %d, and nothing else', (at) => {
    const into = cache();
    const expected = into.arraySync() as number[][][];
    const written = rows.arraySync() as number[][];
    for (const [b, sequence] of expected.entries()) for (const t of [0, 1]) sequence[at + t] = written[2 * b + t];
    appendRows(into, rows, at);
    expect(into.arraySync()).toEqual(expected);
  });

  it.each([-1, 3, 4])('refuses rows that do not fit, at row %d', (at) => {
    const into = cache();
    const before = into.dataSync().slice();
    expect(() => appendRows(into, rows, at)).toThrow(
      `appendRows: expected rows ${at} to ${at + 2} within a cache of 4 rows`,
    );
    expect(into.dataSync()).toEqual(before);
  });
});
