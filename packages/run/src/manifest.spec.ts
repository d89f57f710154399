import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualClock } from './clock.js';
import { gitRevision, openRunManifest, readRunManifest, settleRunManifest } from './manifest.js';

describe('run manifest', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'manifest-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const description = { name: 'demo', recipe: { lr: 5e-5 }, seeds: { data: 1 }, versions: { lethe: '0.1.0' } };

  it('records each launch and how it ended', () => {
    const clock = manualClock(0);
    openRunManifest(folder, { ...description, clock, command: ['lethe', 'unlearn'] }).finish('stopped by SIGTERM');
    clock.advance(60000);
    const second = openRunManifest(folder, { ...description, clock });
    clock.advance(1000);
    second.finish('finished');
    const { launches, ...rest } = readRunManifest(folder);
    expect(rest).toEqual({ name: 'demo', recipe: { lr: 5e-5 }, seeds: { data: 1 } });
    expect(launches.map(({ started, ended, outcome }) => [started, ended, outcome])).toEqual([
      ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z', 'stopped by SIGTERM'],
      ['1970-01-01T00:01:00.000Z', '1970-01-01T00:01:01.000Z', 'finished'],
    ]);
    expect(launches[0].command).toEqual(['lethe', 'unlearn']);
    expect(launches[0].versions).toEqual({ node: process.versions.node, lethe: '0.1.0' });
    expect(launches[0].machine.cores).toBeGreaterThan(0);
  });

  it('learns how a run ended that could not say so, and keeps what one said', () => {
    const outcomes = (): (string | null)[] => readRunManifest(folder).launches.map(({ outcome }) => outcome);
    settleRunManifest(folder, 'finished');
    expect(existsSync(join(folder, 'manifest.json'))).toBe(false);
    openRunManifest(folder, description).finish('stopped by SIGTERM');
    openRunManifest(folder, description);
    settleRunManifest(folder, 'finished');
    expect(outcomes()).toEqual(['stopped by SIGTERM', 'finished']);
    expect(readRunManifest(folder).launches[1].ended).toEqual(expect.any(String));
    openRunManifest(folder, description).finish('failed: the disk is full');
    settleRunManifest(folder, 'finished: at step 7 of 9, a goal');
    expect(outcomes().at(-1)).toBe('finished: at step 7 of 9, a goal');
    settleRunManifest(folder, 'finished');
    expect(outcomes().at(-1)).toBe('finished: at step 7 of 9, a goal');
    writeFileSync(join(folder, 'manifest.json'), '{');
    settleRunManifest(folder, 'finished');
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe('{');
  });

  it('knows the commit, changes to it, and folders outside git', () => {
    expect(gitRevision(folder)).toBeNull();
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: folder });
    git('init', '-q');
    expect(gitRevision(folder)).toBeNull();
    writeFileSync(join(folder, 'a'), '1');
    git('add', 'a');
    git('commit', '-q', '-m', 'a');
    expect(gitRevision(folder)).toEqual({ commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string, isDirty: false });
    writeFileSync(join(folder, 'a'), '2');
    expect(gitRevision(folder)?.isDirty).toBe(true);
  });

  it('sets a damaged manifest aside where somebody is told of it', () => {
    const file = join(folder, 'manifest.json');
    writeFileSync(file, '{"name"');
    const told: string[] = [];
    openRunManifest(folder, { ...description, onDamage: (warning) => told.push(warning) }).finish('finished');
    expect(readRunManifest(folder).launches.map(({ outcome }) => outcome)).toEqual(['finished']);
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe('{"name"');
    expect(told).toEqual([expect.stringMatching(/cannot read the run's manifest.*kept as .*manifest\.json\.damaged/)]);
  });

  it('names a manifest that it cannot read', () => {
    writeFileSync(join(folder, 'manifest.json'), '[]');
    expect(() => openRunManifest(folder, description)).toThrow("manifest.json: cannot read the run's manifest");
  });
});
