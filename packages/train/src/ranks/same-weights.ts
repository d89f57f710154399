import { createHash } from 'node:crypto';
import type { Llama } from '@lethe/model';
import type { Collectives } from '@lethe/tensor';
import { NonFiniteError } from '../non-finite.js';
import { nameOf } from './together.js';

/** The ranks no longer hold the same weights. */
export class DriftError extends NonFiniteError {}

/**
 * Holds the weights of all ranks against each other, before they become a checkpoint.
 * @throws DriftError naming the ranks whose weights are not those of rank 0.
 */
export async function requireSameWeights(model: Llama, step: number, ranks: Collectives): Promise<void> {
  if (ranks.size === 1) return;
  const hash = createHash('sha1');
  for (const { value } of model.trained) hash.update(value.dataSync());
  const digests = await ranks.gather(hash.digest('hex'));
  const others = digests.flatMap((digest, rank) => (digest === digests[0] ? [] : [rank]));
  if (others.length === 0) return;
  const names = others.map((rank) => nameOf({ rank, places: ranks.places })).join(', ');
  throw new DriftError(
    `after step ${step} the weights of ${names} are not those of rank 0: they are not saved, and the last checkpoint is ` +
      'kept. The same build must run on the same kind of processor on every rank (LETHE_SIMD makes them alike)',
  );
}
