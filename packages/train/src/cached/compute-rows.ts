import { type RowStore, RowWriter } from '@lethe/data-pipeline';
import { disposeBatch, type Llama, loadLlama, toTokenBatch } from '@lethe/model';
import { formatDuration, type Logger, remainingSeconds, type StopRequest } from '@lethe/run';
import { bf16Bits, type Collectives, holdsBf16, noGrad } from '@lethe/tensor';
import { requireFiniteStart } from '../non-finite.js';
import { stopOfAny } from '../ranks/over-ranks.js';
import { together } from '../ranks/together.js';
import { Interrupted } from './take-locks.js';
import { tokensOf, type WantedRow } from './wanted-rows.js';

/** Who computes, and whom that tells. */
export interface Building {
  ranks: Collectives;
  logger: Logger;
  stop?: StopRequest;
}

/** The stores of sets of rows, by their digest. */
export type Stores = ReadonlyMap<string, RowStore>;

/**
 * Runs the model of a folder over micro-batches of rows, this rank over its part of them, and adds the final hidden states
 * that are not there to the stores.
 * @throws Interrupted at a signal: what was computed is kept.
 */
export async function computeRows(
  folder: string,
  chunks: readonly WantedRow[][],
  stores: Stores,
  building: Building,
): Promise<void> {
  const { ranks } = building;
  const mine = chunks.filter((_, i) => i % ranks.size === ranks.rank);
  const model = await together(ranks, () => loadFrozen(folder));
  const writers = new Map<string, RowWriter>();
  const add = ({ origin: { set, row } }: WantedRow, values: Float32Array | Uint16Array): void => {
    const store = stores.get(set.digest)!;
    if (store.has(row)) return;
    const writer = writers.get(set.digest) ?? new RowWriter(store, String(ranks.rank));
    writers.set(set.digest, writer);
    writer.add(row, values);
  };
  try {
    await inRounds(mine, (rows) => runChunk(model, rows, add), building);
  } finally {
    for (const writer of writers.values()) writer.close();
    model.dispose();
  }
}

function loadFrozen(folder: string): Llama {
  const { model } = loadLlama(folder, { trainable: false });
  requireFiniteStart(model.parameters, folder);
  return model;
}

async function inRounds(
  mine: readonly WantedRow[][],
  run: (rows: readonly WantedRow[]) => Promise<void>,
  { ranks, logger, stop }: Building,
): Promise<void> {
  const rounds = Math.max(...(await ranks.gather(String(mine.length))).map(Number));
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    ranks.at(`micro-batch ${round + 1} of the cached model`);
    const stoppedBy = await stopOfAny(stop, ranks);
    if (stoppedBy) throw new Interrupted(stoppedBy);
    await together(ranks, () => (round < mine.length ? run(mine[round]) : undefined));
    const left = remainingSeconds(round + 1, rounds, (performance.now() - began) / 1000);
    logger.progress(`hidden states: micro-batch ${round + 1} of ${rounds}  ${formatDuration(left)} left`);
    // A turn of the event loop, so that signals are served.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  logger.endProgress();
}

async function runChunk(
  model: Llama,
  rows: readonly WantedRow[],
  add: (row: WantedRow, values: Float32Array | Uint16Array) => void,
): Promise<void> {
  const batch = toTokenBatch(await tokensOf(rows), model.config.slidingWindow);
  const hidden = noGrad(() => model.hidden(batch));
  disposeBatch(batch);
  const values = holdsBf16() ? bf16Bits(hidden) : (hidden.dataSync() as Float32Array);
  hidden.dispose();
  const each = values.length / rows.length;
  for (const [r, row] of rows.entries()) add(row, values.subarray(r * each, (r + 1) * each));
}
