import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { explainWriteError, temporaryPath, writing } from '@lethe/run';
import { crc32 } from '../shards/crc32.js';
import { ShardError } from '../shards/shard-index.js';
import type { PackingPlan } from './packing-plan.js';

/** Where a group's plan lies in the plan file. */
export interface PlanEntry {
  offset: number;
  numRows: number;
  numSegments: number;
  crc32: number;
}

/**
 * A plan file: the groups' plans as uint32 arrays (rowStarts, documents, starts, lengths), then a JSON table of
 * `PlanEntry`s, then its length and CRC-32 (uint32 each). It is derived data: deleting it only costs computing it again.
 */
export interface PlanFile {
  file: string;
  entries: PlanEntry[];
}

const TAIL_BYTES = 8;

/** Reads the table of a plan file; undefined when there is none for this key, or its table is damaged. */
export async function openPlanFile(file: string, key: string): Promise<PlanFile | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(TAIL_BYTES);
    await handle.read(tail, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES));
    const length = tail.readUInt32LE(0);
    if (length === 0 || size < TAIL_BYTES + length) return undefined; // zeros are their own checksum
    const table = Buffer.alloc(length);
    await handle.read(table, 0, length, size - TAIL_BYTES - length);
    if (crc32(table) !== tail.readUInt32LE(4)) return undefined;
    const content = JSON.parse(table.toString('utf8')) as { key: string; entries: PlanEntry[] };
    return content.key === key ? { file, entries: content.entries } : undefined;
  } finally {
    await handle.close();
  }
}

/** Writes plans one after another and puts the file in place when all are written; for who holds the file's lock. */
export async function writePlanFile(file: string, key: string, plans: AsyncIterable<PackingPlan>): Promise<PlanFile> {
  const temporary = temporaryPath(file);
  const handle = await open(temporary, 'w');
  const entries: PlanEntry[] = [];
  try {
    let offset = 0;
    for await (const plan of plans) {
      const bytes = encodePlan(plan);
      await writing(file, () => handle.appendFile(bytes), bytes.length);
      entries.push({
        offset,
        numRows: plan.rowStarts.length - 1,
        numSegments: plan.documents.length,
        crc32: crc32(bytes),
      });
      offset += bytes.length;
    }
    const table = Buffer.from(JSON.stringify({ key, entries }));
    const tail = Buffer.alloc(TAIL_BYTES);
    tail.writeUInt32LE(table.length, 0);
    tail.writeUInt32LE(crc32(table), 4);
    const end = Buffer.concat([table, tail]);
    await writing(file, () => handle.appendFile(end), end.length);
    await handle.sync();
  } catch (error) {
    const problem = explainWriteError(error, file); // before the room that it took is given back
    await handle.close();
    await rm(temporary, { force: true });
    throw problem;
  }
  await handle.close();
  await rename(temporary, file);
  return { file, entries };
}

/** Reads one group's plan. @throws ShardError when it is damaged. */
export async function readPlan(plan: PlanFile, group: number): Promise<PackingPlan> {
  const entry = plan.entries[group]!;
  const bytes = Buffer.allocUnsafeSlow(4 * (entry.numRows + 1 + 3 * entry.numSegments));
  const handle = await open(plan.file, 'r');
  try {
    await handle.read(bytes, 0, bytes.length, entry.offset);
  } finally {
    await handle.close();
  }
  if (crc32(bytes) !== entry.crc32) {
    throw new ShardError(
      `${path.normalize(plan.file)}: the packing plan of group ${group} is damaged; delete the file, it is computed again`,
    );
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const { numRows, numSegments } = entry;
  const part = (number: number) =>
    words.subarray(numRows + 1 + number * numSegments, numRows + 1 + (number + 1) * numSegments);
  return { rowStarts: words.subarray(0, numRows + 1), documents: part(0), starts: part(1), lengths: part(2) };
}

function encodePlan(plan: PackingPlan): Buffer {
  const parts = [plan.rowStarts, plan.documents, plan.starts, plan.lengths];
  return Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}
