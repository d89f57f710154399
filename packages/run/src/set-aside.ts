import { existsSync, renameSync } from 'node:fs';

/** Moves a file that cannot be read out of the way, under a free name that says so. @returns that name. */
export function setAside(file: string): string {
  let name = `${file}.damaged`;
  for (let i = 2; existsSync(name); i++) name = `${file}.damaged-${i}`;
  renameSync(file, name);
  return name;
}
