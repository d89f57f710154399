import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { formats } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { FOLLOW_CATEGORIES, FOLLOW_LEVELS, type FollowCategory, type FollowItem } from './follow-item.js';

const rowSchema = z.object({
  example_id: z.int(),
  category: z.string(),
  source: z.string(),
  level: z.int().min(0).max(5),
  instruction: z.string(),
  target: z.string(),
});
type Row = z.output<typeof rowSchema> & { line: number };

/** The rows of a JSON array with the lines on which they begin. @throws UserError with file and line. */
async function readRows(file: string): Promise<Row[]> {
  if (!existsSync(file))
    throw new UserError(`${file}: no such file; expected the folder data of FollowBench (data_zh for language: zh)`);
  const json = formats.find(({ name }) => name === 'json')!;
  const context = { file, head: Buffer.alloc(0), isGzip: false, advance: () => {} };
  const rows: Row[] = [];
  for await (const raw of json.read(createReadStream(file), {}, context)) {
    const { line } = raw;
    if ('problem' in raw) throw new UserError(`${file}:${line}: ${raw.problem}`);
    const parsed = rowSchema.safeParse(raw.value);
    if (!parsed.success)
      throw new UserError(`${file}:${line}: not a row of FollowBench: ${z.prettifyError(parsed.error)}`);
    rows.push({ ...parsed.data, line });
  }
  return rows;
}

/** The scored rows of a group, each with the path of instructions that leads to it. */
function itemsOf(rows: Row[], category: FollowCategory, file: string): FollowItem[] {
  const expected = category === 'example' ? [...FOLLOW_LEVELS] : [0, ...FOLLOW_LEVELS];
  const { example_id: exampleId, line } = rows[0];
  const levels = rows.map(({ level }) => level);
  if (levels.join() !== expected.join())
    throw new UserError(`${file}:${line}: example_id ${exampleId} has the levels ${levels}; expected ${expected}`);
  return rows.flatMap((row, i) => {
    const { level, source, instruction, target } = row;
    if (level === 0) return [];
    if (instruction === '') throw new UserError(`${file}:${row.line}: expected an instruction, received none`);
    const group = `${category}/${exampleId}`;
    const path = rows.slice(0, i + 1).map((one) => one.instruction);
    const place = { file, line: row.line };
    return [{ id: `${group}/${level}`, category, group, exampleId, source, level, instruction, target, path, place }];
  });
}

/**
 * FollowBench's six files, `content_constraints.json` and so on, in a folder.
 * @throws UserError with file and line for a file that is missing, another row, or a group without all of its levels.
 */
export async function readFollowBench(folder: string): Promise<FollowItem[]> {
  const items: FollowItem[] = [];
  for (const category of FOLLOW_CATEGORIES) {
    const file = join(folder, `${category}_constraints.json`);
    const groups = new Map<number, Row[]>();
    for (const row of await readRows(file)) {
      const group = groups.get(row.example_id);
      if (group) group.push(row);
      else groups.set(row.example_id, [row]);
    }
    for (const rows of groups.values()) items.push(...itemsOf(rows, category, file));
  }
  return items;
}
