// The final hidden states of rows, kept in a folder as training keeps them, for steps with a cached original.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RowStore, RowWriter } from '@lethe/data-pipeline';
import { disposeBatch, toTokenBatch } from '@lethe/model';
import { bf16Bits, noGrad } from '@lethe/tensor';
import { CachedModel } from '@lethe/train';

const set = { digest: 'rows' };

/**
 * A cached original of the batches, each of them with the origins of its rows; and how long keeping them took, as a share
 * of the passes alone. The folder goes with the process.
 */
export function cacheOriginal(original, batches, { length, hidden, rows }, precision) {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-cached-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const type = precision === 'bf16' ? 'bfloat16' : 'float32';
  const store = new RowStore(folder, { rowLength: length, width: hidden, type });
  const building = performance.now();
  const writer = new RowWriter(store, '0');
  let inPasses = 0;
  for (const [i, batch] of batches.entries()) {
    const began = performance.now();
    const tokens = toTokenBatch(batch);
    const states = noGrad(() => original.hidden(tokens));
    disposeBatch(tokens);
    const values = precision === 'bf16' ? bf16Bits(states) : states.dataSync();
    inPasses += performance.now() - began;
    states.dispose();
    const each = values.length / rows;
    for (let r = 0; r < rows; r++) writer.add(i * rows + r, values.subarray(r * each, (r + 1) * each));
  }
  writer.close();
  store.refresh();
  const buildRatio = (performance.now() - building) / inPasses;
  const withOrigins = batches.map((batch, i) => ({
    ...batch,
    origins: Array.from({ length: rows }, (_, r) => ({ set, row: i * rows + r })),
  }));
  const cached = new CachedModel(tf.keep(tf.clone(original.headWeight)), new Map([[set.digest, store]]));
  return { cached, batches: withOrigins, buildRatio };
}
