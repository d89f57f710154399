import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { licenceProblems, type LockedPackage, lockedPackages, scriptProblems } from './dependencies.js';

const locked = lockedPackages(readFileSync(resolve(__dirname, '..', '..', 'package-lock.json'), 'utf8'));

const one = (given: Partial<LockedPackage>): LockedPackage[] => [
  { path: 'node_modules/a', name: 'a', version: '1.0.0', license: 'MIT', isDev: false, hasScript: false, ...given },
];

describe('what package-lock.json installs', () => {
  it('has licences that allow what we do', () => {
    expect(locked.length).toBeGreaterThan(500);
    expect(licenceProblems(locked)).toEqual([]);
  });

  it('runs no script at installation, but for known tools of development', () => {
    expect(scriptProblems(locked)).toEqual([]);
  });
});

describe('the checks of dependencies', () => {
  it.each([
    [{ license: 'GPL-3.0' }, 'a@1.0.0: GPL-3.0'],
    [{ license: undefined }, 'a@1.0.0: no licence'],
    [{ license: 'MIT AND GPL-3.0' }, 'a@1.0.0: MIT AND GPL-3.0'],
    [{ license: 'CC-BY-4.0' }, 'a@1.0.0: CC-BY-4.0'],
  ])('find %j', (given, expected) => expect(licenceProblems(one(given))).toEqual([expected]));

  it.each([{ license: '(MIT OR GPL-3.0)' }, { license: 'CC-BY-4.0', isDev: true }, { license: 'Apache-2.0 AND MIT' }])(
    'allow %j',
    (given) => expect(licenceProblems(one(given))).toEqual([]),
  );

  it('find scripts of what users install, and of tools that are not known', () => {
    expect(scriptProblems(one({ hasScript: true }))).toEqual(['a@1.0.0 runs a script when users install it']);
    expect(scriptProblems(one({ hasScript: true, isDev: true }))).toEqual([
      'a@1.0.0 runs a script when developers install it',
    ]);
    expect(scriptProblems(one({ name: 'nx', hasScript: true, isDev: true }))).toEqual([]);
    expect(scriptProblems(one({ name: 'nx', hasScript: true }))).toHaveLength(1);
  });
});
