import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type TensorSource } from '@lethe/model';

/** A file of the goldens that PyTorch made; see fixtures/goldens/README.md. */
export const goldenPath = (name: string): string => join(__dirname, '..', 'fixtures', 'goldens', name);

/** A JSON file of the goldens. */
export const goldenJson = <T>(name: string): T => JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T;

/** A tensor file of the goldens. */
export const goldenTensors = (name: string): TensorSource => openSafetensors(goldenPath(name));

/** max|a - b| / max|b|, equal infinities counting as 0. */
export function relativeError(received: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (received.length !== expected.length)
    throw new Error(`expected ${expected.length} values, received ${received.length}`);
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (received[i] === expected[i]) {
      if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]));
      continue;
    }
    const error = Math.abs(received[i] - expected[i]);
    if (!Number.isFinite(error)) return Infinity;
    worst = Math.max(worst, error);
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return worst === 0 ? 0 : worst / Math.max(scale, 1e-30);
}
