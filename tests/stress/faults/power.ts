import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { join } from 'node:path';
import type { Random } from '@lethe/run';

interface Entry {
  inode: number;
  isFolder: boolean;
  name: string;
}

const entriesOf = (folder: string): Entry[] =>
  readdirSync(folder, { withFileTypes: true }).map((entry) => ({
    inode: statSync(join(folder, entry.name)).ino,
    isFolder: entry.isDirectory(),
    name: entry.name,
  }));

/** Notes in `shadow`, as faults.c does at a sync, that all of a folder is on the disk now. */
export function keepAll(folder: string, shadow: string): void {
  rmSync(shadow, { recursive: true, force: true });
  mkdirSync(shadow, { recursive: true });
  const keep = (place: string): void => {
    const entries = entriesOf(place);
    const lines = entries.map(({ inode, isFolder, name }) => `${inode} ${Number(isFolder)} ${name}\n`);
    writeFileSync(join(shadow, `${statSync(place).ino}.folder`), lines.join(''));
    for (const { inode, isFolder, name } of entries)
      if (isFolder) keep(join(place, name));
      else copyFileSync(join(place, name), join(shadow, String(inode)));
  };
  keep(folder);
}

/**
 * Turns a folder into what a file system may hold after the machine lost power: of every file what was last synced, or
 * nothing; of every folder the entries of its last sync. With `random`, each file's and folder's later state has been
 * written meanwhile with probability one half, as a file system does it in its own time.
 */
export function losePower(folder: string, shadow: string, random?: Random): void {
  const now = new Map<number, string>();
  const walk = (place: string): void => {
    now.set(statSync(place).ino, place);
    for (const { inode, isFolder, name } of entriesOf(place))
      if (isFolder) walk(join(place, name));
      else now.set(inode, join(place, name));
  };
  walk(folder);
  const isLater = (inode: number): boolean => random !== undefined && now.has(inode) && random.int(2) === 0;
  const fill = (inode: number, to: string): void => {
    mkdirSync(to);
    for (const entry of isLater(inode) ? entriesOf(now.get(inode)!) : listed(join(shadow, `${inode}.folder`))) {
      const place = join(to, entry.name);
      const kept = join(shadow, String(entry.inode));
      if (entry.isFolder) fill(entry.inode, place);
      else if (isLater(entry.inode)) copyFileSync(now.get(entry.inode)!, place);
      else if (existsSync(kept)) copyFileSync(kept, place);
      else writeFileSync(place, '');
    }
  };
  const after = join(shadow, 'after');
  fill(statSync(folder).ino, after);
  // The folder itself stays: its inode is what the shadow knows.
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  for (const name of readdirSync(after)) renameSync(join(after, name), join(folder, name));
}

function listed(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [inode, isFolder, ...name] = line.split(' ');
    return { inode: Number(inode), isFolder: isFolder === '1', name: name.join(' ') };
  });
}
