import { baselm } from '@lethe/model';
import { estimateMemory, memoryText, requireMemory, settingsThatFit, type StepSize } from './memory-estimate.js';

const config = baselm({});
const size: StepSize = { rows: 4, length: 4096, hasOriginal: true, recompute: true, bf16: true };

describe('estimateMemory', () => {
  it('fits 16k tokens of the 2B model into 80 GB with recompute, not without', () => {
    expect(estimateMemory(config, size).total).toBeLessThan(71e9);
    expect(estimateMemory(config, { ...size, recompute: false }).total).toBeGreaterThan(71e9);
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
    expect(() => requireMemory(config, plain, () => 'the driver is too old')).toThrow('the driver is too old');
    expect(() => requireMemory(config, plain, () => undefined)).not.toThrow();
  });
});
