import { baselm } from './config.js';
import { ropeFrequencies, ropeTables } from './rope-tables.js';

// Expected values: inv_freq of LlamaRotaryEmbedding in transformers 5.18 (fp32), head size 16, 64 positions.
const PLAIN = [
  1, 0.3162277638912201, 0.1, 0.03162277862429619, 0.01, 0.003162277862429619, 0.001, 0.0003162277862429619,
];
const config = baselm({ headDim: 16, maxPositions: 64 });

function expectClose(actual: ArrayLike<number>, expected: number[], relative = 5e-7) {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual[i] / value - 1)).toBeLessThan(relative));
}

describe('ropeFrequencies', () => {
  it('equals transformers for plain and linear', () => {
    expectClose(ropeFrequencies(config, 64), PLAIN);
    const linear = { ...config, ropeScaling: { kind: 'linear', factor: 4 } as const };
    expectClose(
      ropeFrequencies(linear, 64),
      PLAIN.map((frequency) => frequency / 4),
    );
  });

  it('equals transformers for dynamic: plain up to the maximum, slower beyond', () => {
    const dynamic = { ...config, ropeScaling: { kind: 'dynamic', factor: 2 } as const };
    expectClose(ropeFrequencies(dynamic, 64), PLAIN);
    expectClose(
      ropeFrequencies(dynamic, 100),
      [
        1, 0.28394514322280884, 0.08062484115362167, 0.0228930301964283, 0.0065003652125597, 0.0018457469996064901,
        0.0005240908940322697, 0.00014881306560710073,
      ],
    );
  });

  it('equals transformers for llama3', () => {
    const llama3 = {
      ...config,
      ropeTheta: 500000,
      ropeScaling: {
        kind: 'llama3',
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 32,
      } as const,
    };
    expectClose(
      ropeFrequencies(llama3, 64),
      [
        1, 0.024240344762802124, 0.004700753837823868, 0.0009115831344388425, 0.00017677668074611574,
        3.428102354519069e-5, 6.647869668086059e-6, 1.289173155782919e-6,
      ],
    );
  });
});

describe('ropeTables', () => {
  it('holds cos and sin of position times frequency', () => {
    const { cos, sin, numPositions, numPairs } = ropeTables(config, 50);
    expect([numPositions, numPairs, cos.length, sin.length]).toEqual([50, 8, 400, 400]);
    expect([cos[0], sin[0], cos[7], sin[7]]).toEqual([1, 0, 1, 0]);
    expect(cos[49 * 8 + 1]).toBe(Math.fround(Math.cos(49 * 10000 ** (-2 / 16))));
    expect(sin[49 * 8 + 7]).toBe(Math.fround(Math.sin(49 * 10000 ** (-14 / 16))));
  });

  it('refuses lengths below 1', () => {
    expect(() => ropeTables(config, 0)).toThrow(RangeError);
  });
});
