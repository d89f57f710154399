import { baselm, countParameters } from '@lethe/model';
import { estimateMemory, memoryText, requireMemory, settingsThatFit, type StepSize } from './memory-estimate.js';

const config = baselm({});
const size: StepSize = {
  rows: 4,
  length: 4096,
  frozenParameters: countParameters(config),
  recompute: true,
  bf16: true,
};

// 3 layers, hidden 8, 4 heads of 2 of which 2 for keys, feed-forward 16, 32 words: counted by hand.
const sizes = {
  vocabSize: 32,
  hiddenSize: 8,
  intermediateSize: 16,
  numLayers: 3,
  numHeads: 4,
  numKeyValueHeads: 2,
};
const small = baselm({ ...sizes, headDim: 2, tieEmbeddings: true });

describe('estimateMemory', () => {
  it('fits 16k tokens of the 2B model into 80 GB with recompute, not without', () => {
    expect(estimateMemory(config, size).total).toBeLessThan(71e9);
    expect(estimateMemory(config, { ...size, recompute: false }).total).toBeGreaterThan(71e9);
  });

  it('counts every part', () => {
    const attention = 8 * 8 + 2 * (8 * 4) + 8 * 8;
    const parameters = 32 * 8 + 3 * (attention + 3 * 8 * 16 + 2 * 8) + 8;
    const shape = { rows: 2, length: 5 };
    const kept = (bytes: number): number => 10 * (bytes * (5 * 8 + 2 * 8 + 2 * 4 + 3 * 16) + 12);
    const fixed = 1.5 * 2 ** 30 + 2 ** 29;
    expect(estimateMemory(small, { ...shape, frozenParameters: 0, recompute: false, bf16: false })).toMatchObject({
      weights: 16 * parameters,
      original: 0,
      activations: 3 * kept(4) + 4 * (10 * 4 * 8),
      head: fixed,
    });
    expect(
      estimateMemory(small, { ...shape, frozenParameters: parameters, recompute: true, bf16: true }),
    ).toMatchObject({
      weights: 18 * parameters,
      original: 2 * parameters,
      activations: 3 * (10 * 2 * 8) + kept(2) + 4 * (10 * 2 * 8),
      head: fixed + 32 * (8 + 8) * 4,
    });
  });

  // The same sizes: q, o [8, 8], k, v [4, 8], gate, up [16, 8], down [8, 16]; rank 2 on q and down.
  it('counts an adapter over frozen weights, and the moments that a rank keeps', () => {
    const shape = { rows: 2, length: 5, frozenParameters: 0, recompute: false };
    const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'] as const };
    const adapter = 3 * 2 * (8 + 8 + 16 + 8);
    const whole = countParameters(small);
    const weightsOf = (size: Partial<StepSize>): number =>
      estimateMemory(small, { ...shape, bf16: false, ...size }).weights;
    expect(weightsOf({ lora })).toBe(4 * whole + 16 * adapter);
    expect(weightsOf({ lora, bf16: true })).toBe(2 * whole + 18 * adapter);
    expect(weightsOf({ moments: 100 })).toBe(8 * whole + 800);
    expect(weightsOf({ lora, moments: 100 })).toBe(4 * whole + 8 * adapter + 800);
    const [plain, adapted] = [{}, { lora }].map((size) => estimateMemory(small, { ...shape, bf16: false, ...size }));
    expect(adapted.activations - plain.activations).toBe(3 * 10 * 4 * (2 * 2));
  });

  it('is told in gigabytes, rounded to tenths', () => {
    const estimate = { weights: 5e7, original: 4.9e7, activations: 1.25e10, head: 2e9, total: 1.4599e10 };
    expect(memoryText(estimate)).toBe(
      '14.6 GB (weights and optimizer 0.1 GB, original 0.0 GB, activations 12.5 GB, head and working memory 2.0 GB)',
    );
  });

  it('adds its parts up', () => {
    const { weights, original, activations, head, total } = estimateMemory(config, size);
    expect(weights + original + activations + head).toBe(total);
    expect(memoryText({ weights, original, activations, head, total })).toMatch(/^\d+\.\d GB \(weights and optimizer /);
  });
});

describe('settingsThatFit', () => {
  it('changes nothing that fits', () => {
    expect(settingsThatFit(config, size, 80e9)).toEqual(size);
  });

  it('turns recompute on before it takes rows and tokens away', () => {
    const plain = { ...size, recompute: false };
    expect(settingsThatFit(config, plain, 70e9)).toEqual(size);
    const small = settingsThatFit(config, { ...plain, rows: 64 }, 60e9);
    expect(small).toMatchObject({ recompute: true, length: 4096 });
    expect(small!.rows).toBeLessThan(64);
  });

  it('takes what fits exactly, and not a byte less', () => {
    const { total } = estimateMemory(config, size);
    expect(settingsThatFit(config, size, total)).toEqual(size);
    const fewer = settingsThatFit(config, size, total - 1)!;
    expect(fewer.rows).toBeLessThan(size.rows);
    expect(fewer.length).toBe(size.length);
    // Rows go first; a row alone is then halved until it fits.
    const single = { ...size, rows: 1 };
    const half = settingsThatFit(config, size, estimateMemory(config, single).total - 1)!;
    expect(half).toEqual({ ...single, length: half.length });
    expect(half.length).toBeLessThan(size.length);
    const least = { ...size, rows: 1, length: 128 };
    expect(settingsThatFit(config, size, estimateMemory(config, least).total)).toEqual(least);
    expect(settingsThatFit(config, size, estimateMemory(config, least).total - 1)).toBeUndefined();
  });

  it('knows what fits nowhere', () => {
    expect(settingsThatFit(config, size, 24e9)).toBeUndefined();
  });
});

describe('requireMemory', () => {
  it('says what is needed, what there is and what fits', () => {
    const probe = (bytes: number): string =>
      `[alloc] the GPU has no ${bytes} bytes left (60000000000 of 80000000000 are free)`;
    const plain = { ...size, rows: 64, recompute: false };
    expect(() => requireMemory(config, plain, probe)).toThrow(
      /^a step needs about \d+\.\d GB \(.*\); the GPU has 60\.0 GB free\. Settings that fit: model\.recompute: true, \d+ rows/,
    );
    const small = (bytes: number): string => `no ${bytes} bytes left (1000000 of 80000000000 are free)`;
    expect(() => requireMemory(config, plain, small)).toThrow(
      'Settings that fit: none; take a smaller model or a larger GPU, or train an adapter (model.lora)',
    );
    expect(() => requireMemory(config, plain, () => 'the driver is too old')).toThrow('the driver is too old');
    expect(() => requireMemory(config, plain, () => undefined)).not.toThrow();
  });
});
