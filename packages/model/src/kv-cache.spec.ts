import { installedDevices, useDevice } from '@lethe/tensor';
import { forwardRagged } from './batching/ragged-batch.js';
import { baselm } from './config.js';
import { initializeLlama } from './initialize.js';
import { KvCache } from './kv-cache.js';
import type { Llama } from './llama.js';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 4 };
const config = baselm({ ...SIZES, vocabSize: 40, maxPositions: 64, initializerRange: 0.4 });

describe.each(installedDevices())('a cache on %s', (device) => {
  let model: Llama;
  beforeAll(async () => {
    await useDevice(device);
    model = initializeLlama(config, 4);
  });
  afterAll(() => model.dispose());

  /** Logits after the last of the ids. */
  function read(cache: KvCache, ids: number[]): number[] {
    let last: number[] = [];
    forwardRagged(model, [{ ids, cache }], [ids.length - 1], (_, logits) => (last = [...logits]));
    return last;
  }

  it('rewound to a prefix gives what the prefix and other tokens give', () => {
    const [cache, fresh] = [new KvCache(config, 1, 16), new KvCache(config, 1, 16)];
    const expected = read(fresh, [1, 2, 3, 9, 8]);
    read(cache, [1, 2, 3]);
    read(cache, [4, 5, 6, 7]);
    cache.rewind(3);
    expect(cache.length).toBe(3);
    read(cache, [9, 8]).forEach((logit, id) => expect(logit).toBeCloseTo(expected[id], 4));
    expect(() => cache.rewind(6)).toThrow(/at most the 5 tokens held, received 6/);
    for (const one of [cache, fresh]) one.dispose();
  });

  it('makes room only where there is less', () => {
    const cache = new KvCache(config, 1, 8);
    read(cache, [1, 2, 3]);
    for (const [wanted, capacity] of [
      [4, 8],
      [12, 12],
    ]) {
      cache.reserve(wanted);
      expect([cache.capacity, cache.length]).toEqual([capacity, 3]);
    }
    cache.dispose();
  });

  it('copied goes on by itself', () => {
    const [cache, copy] = [new KvCache(config, 1, 16), new KvCache(config, 1, 8)];
    read(cache, [1, 2, 3]);
    copy.copyFrom(cache);
    const after = read(cache, [5]);
    expect(copy.length).toBe(3);
    read(copy, [5]).forEach((logit, id) => expect(logit).toBeCloseTo(after[id], 4));
    read(cache, [6, 7, 8, 9, 10]);
    expect(() => copy.copyFrom(cache)).toThrow(/at most 8, received 1 sequences of 9/);
    for (const one of [cache, copy]) one.dispose();
  });
});
