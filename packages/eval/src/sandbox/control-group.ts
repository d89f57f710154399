import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProgramLimits } from './isolation.js';

/** A control group for one program: what it is limited to counts all of its memory, files in memory included. */
export interface ControlGroup {
  /** Files into which a process writes its number to join. */
  join: string[];
  remove(): void;
}

/** Processes and threads of a program, with those of the sandbox. */
const MOST_TASKS = 128;
/** What the interpreter and bubblewrap take beside the program. */
const BESIDE = 64 * 2 ** 20;

let count = 0;

/** Where the limits are: version 2 has one hierarchy, version 1 one for each controller. */
function layouts(root: string, memoryBytes: number): { folder: string; file: string; value: number }[] {
  const name = `lethe-${process.pid}-${count++}`;
  if (existsSync(join(root, 'cgroup.controllers')))
    return [
      { folder: join(root, name), file: 'memory.max', value: memoryBytes },
      { folder: join(root, name), file: 'pids.max', value: MOST_TASKS },
    ];
  return [
    { folder: join(root, 'memory', name), file: 'memory.limit_in_bytes', value: memoryBytes },
    { folder: join(root, 'pids', name), file: 'pids.max', value: MOST_TASKS },
  ];
}

/**
 * Makes a control group where this user may (root, where the controllers are enabled for groups below the root);
 * undefined elsewhere: the other limits hold everywhere.
 */
export function controlGroup(
  { memoryBytes = 2 ** 30 }: ProgramLimits,
  root = '/sys/fs/cgroup',
): ControlGroup | undefined {
  const limits = layouts(root, memoryBytes + BESIDE);
  const folders = [...new Set(limits.map(({ folder }) => folder))];
  const made: string[] = [];
  const remove = (): void => {
    for (const folder of made)
      try {
        rmdirSync(folder);
      } catch {
        // A process of it is still ending; an empty group costs nothing.
      }
  };
  try {
    for (const folder of folders) {
      mkdirSync(folder);
      made.push(folder);
    }
    for (const { folder, file, value } of limits) {
      if (!existsSync(join(folder, file))) throw new Error(`${file} is not there: its controller is not enabled`);
      writeFileSync(join(folder, file), String(value));
    }
    return { join: folders.map((folder) => join(folder, 'cgroup.procs')), remove };
  } catch {
    remove(); // Not ours to make: bubblewrap and prlimit alone limit the program.
    return undefined;
  }
}
