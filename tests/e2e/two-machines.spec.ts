import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunManifest } from '@lethe/run';
import { PROGRAM, temporaryFolder } from './lethe.js';
import { hasMpi, succeedOnRanks } from './ranks.js';
import { pretrainProject } from './small-project.js';

const MACHINES = join(__dirname, '../../scripts/ranks/two-machines.mjs');
const folder = temporaryFolder();
const machines = (cwd: string, ...args: string[]) =>
  spawnSync(process.execPath, [MACHINES, ...args], { cwd, encoding: 'utf8', timeout: 240_000 });

// Network namespaces need root: skipped elsewhere.
const isPossible = hasMpi && machines('.', '--check').status === 0;

(isPossible ? it : it.skip)(
  'two ranks on two machines, with 1 Gbit/s and 1 ms between them, are two on one',
  async () => {
    await pretrainProject(folder);
    const command = (runs: string): string[] => [
      'pretrain',
      '--recipe',
      'pretrain.yaml',
      ...['name=run', 'steps=3', `runs=${runs}`].flatMap((change) => ['--set', change]),
    ];
    await succeedOnRanks({ folder, ranks: 2 }, ...command('one'));
    const { status, stderr } = machines(folder, '--', process.execPath, PROGRAM, ...command('two'));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const weights = (runs: string): Buffer => readFileSync(join(folder, runs, 'run/model/model.safetensors'));
    expect(weights('two').equals(weights('one'))).toBe(true);
    const { processes } = readRunManifest(join(folder, 'two/run')).launches[0];
    expect(processes!.map(({ host }) => host)).toEqual(['lethe-a', 'lethe-b']);
  },
  600_000,
);
