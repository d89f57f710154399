import * as tf from '@tensorflow/tfjs-core';
import type { Batch, RowStore } from '@lethe/data-pipeline';
import { bf16Tensor } from '@lethe/tensor';

/** What a step reads of a frozen model that ran before: its output head, and what the head reads of each row. */
export class CachedModel {
  /**
   * @param headWeight [V, D], held until {@link dispose}.
   * @param stores of the final hidden states, by the digest of the set that their rows are of.
   */
  constructor(
    readonly headWeight: tf.Tensor,
    private readonly stores: ReadonlyMap<string, RowStore>,
  ) {}

  /** Final hidden states [N, D] of rows, as the model's body would give them. @throws ShardError for a row that is not stored, or damaged. */
  hidden({ origins, numRows, rowLength }: Batch): tf.Tensor {
    if (!origins) throw new RangeError('CachedModel: expected rows that say where they come from, received others');
    const rows = origins.map(({ set, row }) => this.stores.get(set.digest)!.read(row));
    const shape: [number, number] = [numRows * rowLength, this.headWeight.shape[1]!];
    if (rows[0] instanceof Uint16Array) return bf16Tensor(rows as Uint16Array[], shape);
    const values = new Float32Array(shape[0] * shape[1]);
    for (const [r, row] of rows.entries()) values.set(row, r * rowLength * shape[1]);
    return tf.tensor2d(values, shape);
  }

  dispose(): void {
    this.headWeight.dispose();
  }
}
