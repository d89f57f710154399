import { useDevice } from '@lethe/tensor';
import { baselm } from '../config.js';
import { BatchSequence } from './batch-sequence.js';

const config = baselm({
  hiddenSize: 8,
  intermediateSize: 8,
  numLayers: 1,
  numHeads: 2,
  numKeyValueHeads: 2,
  headDim: 4,
});
const sequence = (prompt: number, maxNewTokens: number): BatchSequence => {
  const request = {
    prompt: Array.from({ length: prompt }, (_, i) => i),
    maxNewTokens,
    stopIds: [],
    sampling: {},
    seed: 1,
  };
  return new BatchSequence(1, { ...request, choice: 0 }, config);
};

beforeAll(() => useDevice('lethe-cpu'));

describe('the cache of a sequence', () => {
  // The last new token is never read, so that it needs no row.
  it('begins with what the request can fill, and 64 rows at most', () => {
    expect([sequence(3, 5), sequence(3, 500), sequence(200, 1)].map(({ cache }) => cache.capacity)).toEqual([
      7, 64, 64,
    ]);
  });

  it('grows only when it is full, by half and in multiples of 64, and to the last row at most', () => {
    const one = sequence(300, 50);
    expect(one.take(64)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(one.cache.capacity).toBe(64);
    one.take(65);
    expect(one.cache.capacity).toBe(128);
    one.take(129);
    expect(one.cache.capacity).toBe(192);
    one.take(193);
    expect(one.cache.capacity).toBe(320);
    one.take(321);
    expect(one.cache.capacity).toBe(349);
  });
});
