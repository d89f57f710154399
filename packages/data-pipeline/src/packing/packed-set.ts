import { createHash } from 'node:crypto';
import path from 'node:path';
import { lockBeside, LockedError, removeDeadLock, whileLocked } from '@lethe/run';
import { ByteCache } from '../shards/byte-cache.js';
import { ShardError } from '../shards/shard-index.js';
import type { ShardReader } from '../shards/shard-reader.js';
import { packBestFit } from './pack-best-fit.js';
import { packConcat } from './pack-concat.js';
import type { Packing, PackingPlan } from './packing-plan.js';
import { openPlanFile, readPlan, writePlanFile, type PlanFile } from './plan-store.js';
import { groupBatches, type DocumentGroup } from './row-groups.js';
import type { RowSet } from './row-set.js';

/** How a shard set is packed. */
export interface PackingOptions {
  rowLength: number;
  packing: Packing;
  seed: number;
  /** Tokens of a group, at least; see `groupBatches`. */
  groupTokens?: number;
}

const PLAN_CACHE_BYTES = 8 * 2 ** 20;

/** A shard set with its rows: which pieces of which documents each row holds. */
export class PackedSet {
  private readonly cache = new ByteCache<PackingPlan>(PLAN_CACHE_BYTES);

  private constructor(
    readonly reader: ShardReader,
    readonly groups: readonly DocumentGroup[],
    /** Rows of each group. */
    readonly numRows: readonly number[],
    /** Its rows, for who keeps something of each. */
    readonly rows: RowSet,
    private readonly load: (group: number) => Promise<PackingPlan>,
  ) {}

  /** Packs a shard set; a best-fit plan is computed once and stored beside the index. */
  static async create(reader: ShardReader, options: PackingOptions): Promise<PackedSet> {
    const groups = groupBatches(reader, options.groupTokens);
    const compute = (group: number) => computePlan(reader, groups, group, options);
    if (options.packing === 'concat') {
      const numRows = groups.map((group) => Math.ceil(group.tokens / options.rowLength));
      return new PackedSet(reader, groups, numRows, rowSetOf(reader, groups, numRows, options), compute);
    }
    const plans = await storedPlans(reader, groups, options, compute);
    const numRows = plans.entries.map((entry) => entry.numRows);
    const load = 'file' in plans ? (group: number) => readPlan(plans, group) : compute;
    return new PackedSet(reader, groups, numRows, rowSetOf(reader, groups, numRows, options), load);
  }

  /** The plan of a group. @throws ShardError when lengths or the stored plan are damaged. */
  plan(group: number): Promise<PackingPlan> {
    const bytes = 4 * (this.numRows[group]! + 4 * this.groups[group]!.documents);
    return this.cache.get(group, bytes, () => this.load(group));
  }
}

/** Ties a plan to these very shards and this grouping. */
function planKey(
  reader: ShardReader,
  groups: readonly DocumentGroup[],
  { packing, rowLength, seed }: PackingOptions,
): string {
  const shards = reader.index.shards.map((shard) => shard.sha256);
  return JSON.stringify({
    version: 1,
    packing,
    rowLength,
    seed,
    shards,
    groups: groups.map((group) => group.endBatch),
  });
}

function rowSetOf(
  reader: ShardReader,
  groups: readonly DocumentGroup[],
  rowsOfGroups: readonly number[],
  options: PackingOptions,
): RowSet {
  const { packing, rowLength, seed } = options;
  const digest = createHash('sha256')
    .update(planKey(reader, groups, options))
    .digest('hex');
  const numRows = rowsOfGroups.reduce((total, rows) => total + rows, 0);
  return { folder: reader.folder, packing, rowLength, seed, digest, numRows };
}

async function computePlan(
  reader: ShardReader,
  groups: readonly DocumentGroup[],
  number: number,
  options: PackingOptions,
): Promise<PackingPlan> {
  const group = groups[number]!;
  const lengths = await reader.lengths(group.firstBatch, group.endBatch);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== group.tokens) {
    throw new ShardError(
      `${reader.folder}: expected ${group.tokens} tokens in group ${number}, the lengths add up to ${total}; run prepare again`,
    );
  }
  const pack = options.packing === 'concat' ? packConcat : packBestFit;
  return pack(lengths, options.rowLength, [options.seed, number]);
}

async function storedPlans(
  reader: ShardReader,
  groups: readonly DocumentGroup[],
  options: PackingOptions,
  compute: (group: number) => Promise<PackingPlan>,
): Promise<PlanFile | { entries: { numRows: number }[] }> {
  const { rowLength, seed, packing } = options;
  const file = path.join(reader.folder, `packing-${packing}-${rowLength}-${seed}.bin`);
  const key = planKey(reader, groups, options);
  const known = await openPlanFile(file, key);
  if (known) {
    await removeDeadLock(lockBeside(file));
    return known;
  }
  async function* plans(): AsyncGenerator<PackingPlan> {
    for (const number of groups.keys()) yield await compute(number);
  }
  try {
    return await whileLocked(lockBeside(file), () => writePlanFile(file, key, plans()));
  } catch (error) {
    const isReadOnly = ['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!isReadOnly && !(error instanceof LockedError)) throw error;
    // Shards that cannot be written to, or whose plan another run writes: it is computed when needed, group by group.
    const entries: { numRows: number }[] = [];
    for await (const plan of plans()) entries.push({ numRows: plan.rowStarts.length - 1 });
    return { entries };
  }
}
