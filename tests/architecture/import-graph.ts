import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** The repository's root. */
export const ROOT = join(__dirname, '..', '..');

/** A package of the workspace, by its name without `@lethe/`. */
export interface Package {
  name: string;
  folder: string;
  dependencies: string[];
  references: string[];
}

/** An import as it stands in a source file. */
export interface Import {
  from: string;
  /** Path of the source file, relative to the root. */
  file: string;
  specifier: string;
}

const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')) as T;

/** Files under a folder, as paths relative to the root; build outputs and installed packages left out. */
export function filesUnder(folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', 'build', '.git', '.nx', 'runs']);
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return skipped.has(entry.name) || entry.name.startsWith('build-') ? [] : filesUnder(path);
  });
}

/** TypeScript sources under a folder, specs left out. */
export const sourcesUnder = (folder: string): string[] =>
  filesUnder(folder).filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));

/** Every package of the workspace with what it declares. */
export function packages(): Package[] {
  const folders = ['native', ...readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name))];
  return folders.map((folder) => {
    const { name, dependencies = {} } = json<{ name: string; dependencies?: object }>(folder, 'package.json');
    const { references = [] } = json<{ references?: { path: string }[] }>(folder, 'tsconfig.json');
    return {
      name: name.replace('@lethe/', ''),
      folder,
      dependencies: Object.keys(dependencies),
      references: references.map(({ path }) =>
        relative(ROOT, resolve(ROOT, folder, path))
          .split('/')
          .at(-1)!,
      ),
    };
  });
}

/** Imports, exports from, dynamic imports and requires of a source text. */
export function specifiersIn(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Every import of a package's sources. */
export function importsOf({ name, folder }: Package): Import[] {
  return sourcesUnder(join(folder, 'src')).flatMap((file) =>
    specifiersIn(readFileSync(join(ROOT, file), 'utf8')).map((specifier) => ({ from: name, file, specifier })),
  );
}

/** The file that a relative import names, relative to the root. */
export const targetOf = ({ file, specifier }: Import): string => join(dirname(file), specifier);

/**
 * The rooms of a package, its folders and the files beside them, that import each other in a circle: for each room in one,
 * the rooms on its way back to itself.
 */
export function circlesOf(one: Package): string[] {
  const root = join(one.folder, 'src');
  const roomOf = (file: string): string =>
    relative(root, file)
      .split('/')[0]
      .replace(/\.(js|ts)$/, '');
  const next = new Map<string, Set<string>>();
  for (const found of importsOf(one).filter(({ specifier }) => specifier.startsWith('.'))) {
    const [from, to] = [roomOf(found.file), roomOf(targetOf(found))];
    if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  const wayBack = (start: string, at: string, seen: Set<string>): string[] | undefined => {
    for (const room of next.get(at) ?? []) {
      if (room === start) return [room];
      if (seen.has(room)) continue;
      const rest = wayBack(start, room, seen.add(room));
      if (rest) return [room, ...rest];
    }
    return undefined;
  };
  return [...next.keys()].flatMap((room) => {
    const way = wayBack(room, room, new Set([room]));
    return way ? [[room, ...way].join(' -> ')] : [];
  });
}

/** The npm package of a bare import; undefined for relative imports and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
