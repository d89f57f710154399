import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { useDevice } from '@lethe/tensor';
import { loadLlama, saveLlama } from './load-llama.js';
import { scoreSequences } from './score.js';

const CASES = path.resolve(__dirname, '../../../tests/cases/configs');
const folder = mkdtempSync(path.join(tmpdir(), 'lethe-configs-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Golden {
  ids: number[];
  logprobs: (number | null)[];
}
/** transformers computes rotary angles in fp32; tests/cases/README.md gives the tolerance. */
const TOLERANCE = 2e-4;

function worst(received: (number | null)[], { logprobs }: Golden): number {
  return Math.max(...logprobs.slice(1).map((value, i) => Math.abs(value! - received[i + 1]!)));
}

describe('a config.json with keys that change the computation', () => {
  beforeAll(() => useDevice('lethe-cpu'));

  it.each(readdirSync(CASES))('is computed as transformers does, also after an export: %s', async (name) => {
    const golden = JSON.parse(readFileSync(path.join(CASES, name, 'golden.json'), 'utf8')) as Golden;
    const { model, rawConfig } = loadLlama(path.join(CASES, name), { trainable: false });
    expect(worst(scoreSequences(model, [golden.ids])[0], golden)).toBeLessThan(TOLERANCE);
    const out = path.join(folder, name);
    await saveLlama(model, out, { rawConfig });
    const again = loadLlama(out, { trainable: false }).model;
    expect(again.config).toEqual(model.config);
    expect(worst(scoreSequences(again, [golden.ids])[0], golden)).toBeLessThan(TOLERANCE);
  });
});
