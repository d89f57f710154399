import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { readRows, wrongRow } from '../items/read-rows.js';
import { FOLLOW_CATEGORIES, FOLLOW_LEVELS, type FollowCategory, type FollowItem } from './follow-item.js';

const rowSchema = z.object({
  example_id: z.int(),
  category: z.string(),
  source: z.string(),
  level: z.int().min(0).max(5),
  instruction: z.string(),
  target: z.string(),
});
type Row = z.output<typeof rowSchema> & { place: Place };

/** The rows of a file. @throws UserError with file and line. */
function readFollowRows(file: string): Row[] {
  if (!existsSync(file))
    throw new UserError(`${file}: no such file; expected the folder data of FollowBench (data_zh for language: zh)`);
  return readRows(file, { benchmark: 'FollowBench', schema: rowSchema });
}

/** The scored rows of a group, each with the path of instructions that leads to it. */
function itemsOf(rows: Row[], category: FollowCategory): FollowItem[] {
  const expected = category === 'example' ? [...FOLLOW_LEVELS] : [0, ...FOLLOW_LEVELS];
  const { example_id: exampleId, place: first } = rows[0];
  const remedy = `correct the rows of example_id ${exampleId}, or remove them all to score the others`;
  const levels = rows.map(({ level }) => level);
  if (levels.join() !== expected.join())
    throw wrongRow(first, `example_id ${exampleId} has the levels ${levels}; expected ${expected}`, remedy);
  return rows.flatMap((row, i) => {
    const { level, source, instruction, target, place } = row;
    if (level === 0) return [];
    if (instruction === '') throw wrongRow(place, 'expected an instruction, received none', remedy);
    const group = `${category}/${exampleId}`;
    const path = rows.slice(0, i + 1).map((one) => one.instruction);
    return [{ id: `${group}/${level}`, category, group, exampleId, source, level, instruction, target, path, place }];
  });
}

/**
 * FollowBench's six files, `content_constraints.json` and so on, in a folder.
 * @throws UserError with file and line for a file that is missing, another row, or a group without all of its levels.
 */
export function readFollowBench(folder: string): FollowItem[] {
  const items: FollowItem[] = [];
  for (const category of FOLLOW_CATEGORIES) {
    const file = join(folder, `${category}_constraints.json`);
    const groups = new Map<number, Row[]>();
    for (const row of readFollowRows(file)) {
      const group = groups.get(row.example_id);
      if (group) group.push(row);
      else groups.set(row.example_id, [row]);
    }
    for (const rows of groups.values()) items.push(...itemsOf(rows, category));
  }
  return items;
}
