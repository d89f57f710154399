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

  it('equals transformers for llama3 where no pair is blended', () => {
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

  // Pairs 26 to 37 of Llama 3.1's 64, in fp64: 26 to 28 turn more than 4 times in 8,192 positions and are kept, 29 to 34
  // are blended, from 35 on, with less than one turn, they are slowed down by 8.
  it('equals transformers for the settings of Llama 3.1, blended pairs included', () => {
    const scaling = {
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    } as const;
    const llama31 = baselm({ headDim: 128, ropeTheta: 500000, ropeScaling: scaling, maxPositions: 131072 });
    const frequencies = ropeFrequencies(llama31, 131072);
    const expected = [
      0.004839421345719893, 0.003942276030116656, 0.0032114459947525913, 0.002166570763503359, 0.0013718935677611381,
      0.0008567514129196324, 0.0005248461609929547, 0.00031269375038406517, 0.00017850781276799638,
      9.556212353964683e-5, 7.78465527393245e-5, 6.341514345777615e-5,
    ];
    expectClose(frequencies.slice(26, 38), expected, 1e-12);
    const shares = [...frequencies].map((frequency, pair) => frequency * 500000 ** (pair / 64));
    expect(shares.slice(0, 29).every((share) => Math.abs(share - 1) < 1e-12)).toBe(true);
    expect(shares.slice(29, 35).every((share) => share < 0.99 && share > 0.126)).toBe(true);
    expect(shares.slice(35).every((share) => Math.abs(share - 1 / 8) < 1e-12)).toBe(true);
  });
});

const UNTRUNCATED = [
  1, 0.21246867858378526, 0.025664394391007976, 0.007905694150420948, 0.0025, 0.0007905694150420948, 0.00025,
  7.905694150420948e-5,
];

describe('yarn', () => {
  const scaling = { kind: 'yarn', factor: 4, attentionFactor: 1, betaFast: 8, betaSlow: 1 } as const;
  const of = (more: object) =>
    ropeFrequencies({ ...config, ropeScaling: { ...scaling, originalMaxPositions: 64, truncate: true, ...more } }, 64);

  it('blends between the very pairs of betaFast and betaSlow turns where these are not made whole', () => {
    // find_correction_range of transformers 5.18 with truncate=False: from pair 0.21 to pair 2.02.
    expectClose(of({ truncate: false }), UNTRUNCATED, 1e-12);
    expect([...of({ truncate: false })]).not.toEqual([...of({})]);
  });

  it('steps where both bounds are one pair', () => {
    const turns = 64 / (2 * Math.PI); // of the first pair
    const shares = [...of({ betaFast: turns, betaSlow: turns })].map(
      (frequency, pair) => frequency * 10000 ** (pair / 8),
    );
    expect(shares[0]).toBe(1);
    for (const share of shares.slice(1)) expect(share).toBeCloseTo(1 / 4, 12);
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
