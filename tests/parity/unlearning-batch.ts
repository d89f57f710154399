import type { Batch } from '@lethe/data-pipeline';
import { goldenTensors } from './golden-files.js';

const ROWS = 2;
/** Tokens of a golden row. */
export const LENGTH = 12;

/** The rows of one stream in one of the ten golden steps. */
export function batchAt(role: 'forget' | 'replay', step: number): Batch {
  const tensors = goldenTensors('unlearning.safetensors');
  const size = ROWS * LENGTH;
  const cut = (name: string): Int32Array => tensors.readInt32(name).slice(step * size, (step + 1) * size);
  const targets = cut(`${role}_targets`);
  const column = Int32Array.from({ length: size }, (_, i) => i % LENGTH);
  const batch = {
    ids: cut(`${role}_ids`),
    targets,
    positions: column,
    first: new Int32Array(size),
    last: column,
    numRows: ROWS,
    rowLength: LENGTH,
    numTargets: targets.filter((id) => id >= 0).length,
    documents: [`${role} step ${step}`],
  };
  tensors.close();
  return batch;
}

/** The losses of a golden step, and the norm of its gradient before clipping. */
export interface GoldenStep {
  total: number;
  forgetting: number;
  replay: number;
  mitigation: number;
  gradient_norm: number;
}

/** The optimizer of golden steps. */
export interface GoldenOptimizer {
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weight_decay: number;
  clip_norm: number;
}
