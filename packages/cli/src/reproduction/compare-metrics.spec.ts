import type { MetricsRecord } from '@lethe/run';
import { compareMetrics } from './compare-metrics.js';

const RECORDS: MetricsRecord[] = [
  { step: 1, loss: 2, replay: 2, termGradientNorms: { replay: 0.5 }, seconds: 1, tokensPerSecond: 10, memoryBytes: 5 },
  { step: 2, loss: 1.5, replay: NaN, seconds: 1.5, tokensPerSecond: 11, memoryBytes: 5 },
];

describe('compareMetrics', () => {
  it('finds equal what differs in times and memory only, NaN included', () => {
    const again = RECORDS.map((record) => ({ ...record, seconds: 9, tokensPerSecond: 1, memoryBytes: 7 }));
    expect(compareMetrics(RECORDS, again)).toEqual({ numValues: 5, numDifferent: 0 });
  });

  it('names the first difference and the largest one', () => {
    const [one, two] = RECORDS;
    const again = [
      { ...one, termGradientNorms: { replay: 0.5 + 2 ** -52 } },
      { ...two, loss: 3 },
    ];
    const { numDifferent, first, largest } = compareMetrics(RECORDS, again);
    expect(numDifferent).toBe(2);
    expect(first).toMatchObject({ step: 1, key: 'termGradientNorms.replay', was: 0.5 });
    expect(first!.relative).toBeCloseTo(2 ** -51, 17);
    expect(largest).toEqual({ step: 2, key: 'loss', was: 1.5, is: 3, relative: 0.5 });
  });

  it('counts what only one of them has, and signs of zero', () => {
    expect(compareMetrics(RECORDS, RECORDS.slice(0, 1))).toMatchObject({
      numDifferent: 2,
      first: { step: 2, key: 'loss', was: 1.5, is: undefined, relative: Infinity },
    });
    expect(compareMetrics([{ step: 1, loss: 0 }], [{ step: 1, loss: -0 }]).numDifferent).toBe(1);
  });
});
