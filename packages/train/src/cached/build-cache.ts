import { join } from 'node:path';
import { type RowSet, RowStore } from '@lethe/data-pipeline';
import { lockWithin, writeFileAtomically } from '@lethe/run';
import { together } from '../ranks/together.js';
import { type CacheKey, cacheFolder } from './cache-folder.js';
import { requireRoom, type Room } from './cache-room.js';
import { type Building, computeRows, type Stores } from './compute-rows.js';
import { whileHolding } from './take-locks.js';
import type { WantedRow, WantedRows } from './wanted-rows.js';

/** A frozen model, and the rows that a run reads of it. */
export interface CacheRequest {
  /** Folder of its checkpoint. */
  folder: string;
  key: Omit<CacheKey, 'version' | 'rows'>;
  /** Width of its hidden states. */
  width: number;
  wanted: WantedRows[];
}

/**
 * The stores of all rows that a run reads of a frozen model: what is not there is computed, by all ranks, and kept for this
 * and other runs. What a killed or stopped process computed stays.
 * @throws Interrupted at a signal; UserError where there is no room, or a folder cannot be written to.
 */
export async function buildCache(request: CacheRequest, building: Building): Promise<Stores> {
  const { ranks } = building;
  const stores = await together(ranks, () => openStores(request));
  const [missing] = await ranks.sum([missingRows(request.wanted, stores).length]);
  if (missing > 0) {
    const locks = [...stores.values()].map(({ folder }) => lockWithin(folder));
    await whileFirstHolds(locks, () => compute(request, stores, building), building);
  }
  return stores;
}

function openStores({ key, width, wanted }: CacheRequest): Stores {
  const sets = new Map<string, RowSet>();
  for (const { rows } of wanted) for (const { origin } of rows) sets.set(origin.set.digest, origin.set);
  const stores = [...sets].map(([digest, set]) => {
    const folder = cacheFolder(set, { version: 1, ...key, rows: digest });
    return [digest, new RowStore(folder, { rowLength: set.rowLength, width, type: key.type })] as const;
  });
  return new Map(stores);
}

const isMissing = ({ origin }: WantedRow, stores: Stores): boolean =>
  !stores.get(origin.set.digest)!.has(origin.row);

/**
 * The micro-batches with a row that is not there. Those that are there stay in them: what was broken off in the middle of a micro-batch goes on
 * with the same rows side by side, to the same bits.
 */
function missingRows(wanted: readonly WantedRows[], stores: Stores): WantedRow[][] {
  return wanted
    .flatMap(({ rows, sideBySide }) =>
      Array.from({ length: Math.ceil(rows.length / sideBySide) }, (_, i) =>
        rows.slice(i * sideBySide, (i + 1) * sideBySide),
      ),
    )
    .filter((rows) => rows.some((row) => isMissing(row, stores)));
}

/** Does work on every rank while the first holds the locks. */
async function whileFirstHolds(locks: string[], work: () => Promise<void>, building: Building): Promise<void> {
  const { ranks } = building;
  if (ranks.size === 1) return whileHolding(locks, work, building);
  if (ranks.rank > 0) {
    await together(ranks, () => {});
    return work();
  }
  let isMine = false;
  const mine = async (): Promise<void> => {
    isMine = true;
    await together(ranks, () => {});
    return work();
  };
  try {
    return await whileHolding(locks, mine, { ...building, isRefused: true });
  } catch (error) {
    if (!isMine)
      await together(ranks, () => {
        throw error;
      });
    throw error;
  }
}

/** Computes what is missing now that no other process adds anything. */
async function compute(request: CacheRequest, stores: Stores, building: Building): Promise<void> {
  const { ranks, logger } = building;
  const chunks = await together(ranks, () => {
    for (const store of stores.values()) store.refresh();
    const missing = missingRows(request.wanted, stores);
    requireRoom(roomOf(missing.flat(), stores));
    return missing;
  });
  if ((await ranks.sum([chunks.length]))[0] === 0) return; // the process that was waited for has computed it
  logger.info(`computing the hidden states of ${chunks.flat().length} rows, once for all runs: ${request.folder}`);
  if (ranks.rank === 0) describe(request, stores);
  await computeRows(request.folder, chunks, stores, building);
  await ranks.barrier(); // until all have written
  for (const store of stores.values()) store.refresh();
}

function roomOf(missing: readonly WantedRow[], stores: Stores): Room[] {
  return [...stores].map(([digest, { folder, format }]) => {
    const rows = missing.filter((row) => row.origin.set.digest === digest && isMissing(row, stores)).length;
    return { folder, rows, bytes: rows * format.messageBytes };
  });
}

/** What the folders' names are hashes of, for people. */
function describe({ key }: CacheRequest, stores: Stores): void {
  for (const [rows, { folder }] of stores)
    writeFileAtomically(join(folder, 'key.json'), `${JSON.stringify({ version: 1, ...key, rows }, null, 1)}\n`);
}
