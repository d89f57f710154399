import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryLimit, processorLimit } from './control-group.js';
import { formatFindings, ok, problem, warning } from './finding.js';
import { checkNode } from './node-version.js';
import { checkMemory, checkRuns } from './room.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-machine-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GIB = 2 ** 30;

/** A root folder whose control groups say this. */
function machine(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true });
    writeFileSync(join(folder, name, path), `${text}\n`);
  }
  return join(folder, name);
}

it('findings are columns, with remedies below and a count', () => {
  const text = formatFindings([ok('a', 'fine'), problem('longer', 'broken', 'mend it'), warning('c', 'odd', 'look')]);
  expect(text.split('\n')).toEqual([
    'ok       a       fine',
    'problem  longer  broken',
    '                 -> mend it',
    'warning  c       odd',
    '                 -> look',
    '',
    '1 problem, 1 warning',
  ]);
});

it.each([
  ['20.11.0', 'ok'],
  ['20.9.3', 'problem'],
  ['18.19.1', 'problem'],
  ['22.0.0', 'ok'],
])('node %s: %s', (version, status) => {
  expect(checkNode(version, '>=20.11')).toMatchObject({ status, found: expect.stringContaining('>=20.11') as string });
});

it('the required Node is the one of the repository', () => {
  const root = join(__dirname, '..', '..', '..', '..', 'package.json');
  const { engines } = JSON.parse(readFileSync(root, 'utf8')) as { engines: { node: string } };
  expect(checkNode('20.11.0').found).toContain(engines.node);
});

describe('control groups', () => {
  it('of version 2: the tightest from the process up to the root', () => {
    const root = machine('v2', {
      'proc/self/cgroup': '0::/user/task',
      'sys/fs/cgroup/user/cpu.max': '150000 100000',
      'sys/fs/cgroup/user/task/cpu.max': 'max 100000',
      'sys/fs/cgroup/user/memory.max': 'max',
      'sys/fs/cgroup/user/task/memory.max': String(3 * GIB),
    });
    expect([processorLimit(root), memoryLimit(root)]).toEqual([1.5, 3 * GIB]);
  });

  it('of version 1, where the path may be one outside of the container', () => {
    const root = machine('v1', {
      'proc/self/cgroup': '4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': String(GIB),
    });
    expect([processorLimit(root), memoryLimit(root)]).toEqual([0.5, GIB]);
  });

  it('without limits, or without groups', () => {
    const free = { 'proc/self/cgroup': '3:cpu:/', 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1' };
    const root = machine('free', { ...free, 'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' });
    expect([processorLimit(root), memoryLimit(root)]).toEqual([Infinity, Infinity]);
    expect([processorLimit(folder), memoryLimit(folder)]).toEqual([Infinity, Infinity]);
  });
});

it('memory: what is available, or the limit, where that is less', () => {
  expect(checkMemory()).toMatchObject({
    found: expect.stringMatching(/^\d+\.\d GiB available of \d+\.\d GiB/) as string,
  });
  expect(checkMemory({ total: 8 * GIB, available: 5 * GIB, limit: Infinity })).toEqual(
    ok('memory', '5.0 GiB available of 8.0 GiB'),
  );
  expect(checkMemory({ total: 8 * GIB, available: GIB, limit: Infinity }).status).toBe('warning');
  expect(checkMemory({ total: 8 * GIB, available: 5 * GIB, limit: GIB })).toMatchObject({
    status: 'warning',
    found: '5.0 GiB available of 8.0 GiB, limited to 1.0 GiB by control groups',
  });
});

describe('the folder of runs', () => {
  it('need not be there, and is not made', () => {
    expect(checkRuns(join(folder, 'not', 'there')).status).toBe(checkRuns(folder).status);
    expect(() => readFileSync(join(folder, 'not'))).toThrow('ENOENT');
  });

  it('is a problem where nothing can be written', () => {
    writeFileSync(join(folder, 'file'), '');
    for (const place of [join(folder, 'file'), join(folder, 'file', 'runs'), '/proc/runs'])
      expect(checkRuns(place)).toMatchObject({ status: 'problem', remedy: expect.stringContaining('runs:') as string });
  });

  it('is a warning where the disk is full', () => {
    expect(checkRuns(folder, () => GIB)).toMatchObject({ status: 'warning', found: `${folder}: 1.0 GiB free` });
  });
});
