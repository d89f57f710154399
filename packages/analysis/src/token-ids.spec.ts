import { kernelDensity } from './density.js';
import { countTokens, tokenDensity, tokenShift } from './token-ids.js';

const counts = (...values: number[]): Float64Array => Float64Array.from(values);

it('tokens are counted by id; ids outside the vocabulary are refused', () => {
  expect([...countTokens([[0, 2, 2], new Int32Array([2, 1]), []], 4)]).toEqual([1, 1, 3, 0]);
  for (const wrong of [4, -1, NaN]) expect(() => countTokens([[0, wrong]], 4)).toThrow(/0\.\.3, received/);
});

describe('tokenShift', () => {
  it('is nothing for equal shares, and everything for texts without a token in common', () => {
    expect(tokenShift(counts(2, 4, 6), counts(1, 2, 3))).toMatchObject({
      jensenShannon: 0,
      totalVariation: 0,
      peaks: [],
      numTokens: 12,
      numReferenceTokens: 6,
    });
    const apart = tokenShift(counts(5, 0), counts(0, 9));
    expect(apart.jensenShannon).toBeCloseTo(1, 12);
    expect(apart.totalVariation).toBe(1);
    expect(apart.peaks).toHaveLength(1);
  });

  it('is what its formulas give', () => {
    const { jensenShannon, totalVariation } = tokenShift(counts(3, 1), counts(1, 3));
    // p = (3/4, 1/4), m = (1/2, 1/2): 1 - H(1/4) bits.
    expect(jensenShannon).toBeCloseTo(1 + 0.25 * Math.log2(0.25) + 0.75 * Math.log2(0.75), 12);
    expect(totalVariation).toBe(0.5);
  });

  it('peaks are the tokens used more, the largest excess first', () => {
    const { peaks } = tokenShift(counts(500, 40, 400, 60, 0), counts(100, 10, 390, 400, 100), { numPeaks: 2 });
    expect(peaks.map(({ id }) => id)).toEqual([0, 1]);
    expect(peaks[0]).toMatchObject({ share: 0.5, referenceShare: 0.1 });
    const [p, q] = [500.5 / 1002.5, 100.5 / 1002.5];
    expect(peaks[0].excess).toBeCloseTo(p * Math.log(p / q), 12);
  });

  it('peaks of one excess are in the order of their ids', () => {
    const { peaks } = tokenShift(counts(0, 5, 0, 5, 5), counts(9, 1, 9, 1, 1));
    expect(peaks.map(({ id }) => id)).toEqual([1, 3, 4]);
  });

  it('refuses texts without tokens and other vocabularies', () => {
    expect(() => tokenShift(counts(0, 0), counts(1, 1))).toThrow(/received 0 of 2 ids and 2 of 2/);
    expect(() => tokenShift(counts(1), counts(1, 1))).toThrow(/one vocabulary/);
  });
});

it('the density has 400 points, half a percent of the vocabulary wide, at least one id', () => {
  const one = Float64Array.from({ length: 1000 }, (_, id) => (id === 500 ? 1 : 0));
  const wide = tokenDensity(one);
  expect([wide.x.length, wide.x[399]]).toEqual([400, 999]);
  expect(wide.y).toEqual(tokenDensity(one, { points: 400, bandwidth: 5 }).y);
  expect(tokenDensity(counts(1, 2))).toEqual(tokenDensity(counts(1, 2), { bandwidth: 1 }));
});

it('the density is that of the ids as a sample', () => {
  const ids = [3, 3, 3, 40, 41, 41, 90];
  const density = tokenDensity(countTokens([ids], 100), { points: 50, bandwidth: 2 });
  const sample = kernelDensity(ids, { from: 0, to: 99, points: 50, bandwidth: 2 });
  expect(density.x).toEqual(sample.x);
  density.y.forEach((y, i) => expect(y).toBeCloseTo(sample.y[i], 8));
});
