import { cpSync, existsSync, readdirSync, readFileSync, rmSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, jsonl, lethe, startLethe, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const STEPS = 120;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

/** Unlearning in a folder of runs whose name ends with the precision where that is not fp32. */
const command = (runs: string): string[] => {
  const precision = `precision=${runs.endsWith('bf16') ? 'bf16' : 'fp32'}`;
  const set = [precision, `runs=${runs}`, `steps=${STEPS}`, 'checkpoint.every=10', 'metrics.termGradientsEvery=50'];
  return ['unlearn', '--recipe', 'unlearn.yaml', ...set.flatMap((change) => ['--set', change])];
};
const weights = (runs: string): Buffer => readFileSync(at(runs, 'unlearn/model/model.safetensors'));
const checkpoints = (runs: string): string[] => readdirSync(at(runs, 'unlearn/checkpoints')).sort();

/** Metrics without what depends on time and on how often the run was started. */
function metrics(runs: string): Record<string, unknown>[] {
  return jsonl<Record<string, unknown>>(folder, runs, 'unlearn/metrics.jsonl').map((record) => {
    const { seconds: _seconds, tokensPerSecond: _speed, memoryBytes: _memory, crc: _seal, ...rest } = record;
    return rest;
  });
}

/** Starts the run, waits until it has written a number of records, and sends a signal. */
async function interrupt(runs: string, signal: NodeJS.Signals, records: number): Promise<Ended> {
  const running = startLethe(folder, ...command(runs));
  const file = at(runs, 'unlearn/metrics.jsonl');
  const count = (): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
  while (count() < records && running.process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  running.process.kill(signal);
  return running.ended;
}

beforeAll(async () => {
  await pretrainProject(folder);
  await succeed(folder, ...command('whole'));
  await succeed(folder, ...command('whole-bf16'));
}, 600000);

describe('a run that is stopped and started again by the same command', () => {
  it('runs the same way twice', async () => {
    await succeed(folder, ...command('twice'));
    expect(weights('twice').equals(weights('whole'))).toBe(true);
    expect(metrics('twice')).toEqual(metrics('whole'));
  });

  it('bf16 gives other weights than fp32', () => {
    expect(weights('whole-bf16').equals(weights('whole'))).toBe(false);
  });

  it.each([
    ['SIGTERM', 143, 'terminated', 'whole'],
    ['SIGINT', 130, 'interrupted', 'whole'],
    ['SIGTERM', 143, 'terminated-bf16', 'whole-bf16'],
  ] as const)('%s: saves, exits %d, and %s ends as %s', async (signal, code, runs, whole) => {
    const stopped = await interrupt(runs, signal, 25);
    expect(stopped.code).toBe(code);
    const [, step] = /stopped after step (\d+) of 120; run the same command to go on: (.*)/.exec(stopped.stderr)!;
    expect(stopped.stderr).toContain(`npx lethe ${command(runs).join(' ')}`);
    expect(Number(step)).toBeGreaterThanOrEqual(25);
    expect(Number(step)).toBeLessThan(STEPS);
    expect(checkpoints(runs).at(-1)).toBe(`step-${step.padStart(8, '0')}`);
    expect(existsSync(at(runs, 'unlearn/model'))).toBe(false);

    const resumed = await succeed(folder, ...command(runs));
    expect(resumed.stderr).toContain(`resuming ${join(runs, 'unlearn')} after step ${step}`);
    expect(weights(runs).equals(weights(whole))).toBe(true);
    expect(metrics(runs)).toEqual(metrics(whole));
    const manifest = JSON.parse(readFileSync(at(runs, 'unlearn/manifest.json'), 'utf8')) as {
      launches: { outcome: string }[];
    };
    expect(manifest.launches.map(({ outcome }) => outcome)).toEqual([`stopped by ${signal}`, 'finished']);
  });

  it('a second process on its folder is refused by name, and changes nothing of the first', async () => {
    const first = startLethe(folder, ...command('two'));
    const file = at('two', 'unlearn/metrics.jsonl');
    while (!existsSync(file) && first.process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await lethe(folder, ...command('two'));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`two/unlearn: process ${first.process.pid} on `);
    expect((await first.ended).code).toBe(0);
    expect(weights('two').equals(weights('whole'))).toBe(true);
    expect(metrics('two')).toEqual(metrics('whole'));
    expect(existsSync(at('two', 'unlearn/.lock'))).toBe(false);
  });

  it.each([
    ['killed', 'whole'],
    ['killed-bf16', 'whole-bf16'],
  ])('kill -9: %s goes on from its last checkpoint and ends as %s', async (runs, whole) => {
    const killed = await interrupt(runs, 'SIGKILL', 35);
    expect(killed.code).toBeNull();
    expect(existsSync(at(runs, 'unlearn/model'))).toBe(false);
    const resumed = await succeed(folder, ...command(runs));
    const [, step] = /resuming .* after step (\d+)/.exec(resumed.stderr)!;
    expect(Number(step) % 10).toBe(0);
    expect(weights(runs).equals(weights(whole))).toBe(true);
    expect(metrics(runs)).toEqual(metrics(whole));
    expect(checkpoints(runs)).toEqual(checkpoints(whole));
  });

  it.each(['optimizer.safetensors', 'model/model.safetensors', 'state.json'])(
    'a damaged %s in the newest checkpoint: warns and takes the one before',
    async (file) => {
      const runs = `damaged-${file.replace('/', '-')}`;
      cpSync(at('whole'), at(runs), { recursive: true });
      const newest = at(runs, 'unlearn/checkpoints', checkpoints(runs).at(-1)!, file);
      const bytes = readFileSync(newest);
      bytes[bytes.length >> 1] ^= 1;
      writeFileSync(newest, bytes);
      const { stderr } = await succeed(folder, ...command(runs));
      expect(stderr).toMatch(/warn: checkpoint of step 120 is damaged, trying the one before/);
      expect(stderr).toContain(`resuming ${join(runs, 'unlearn')} after step 110`);
      expect(weights(runs).equals(weights('whole'))).toBe(true);
      expect(metrics(runs)).toEqual(metrics('whole'));
    },
  );

  it('every checkpoint damaged: stops and says so', async () => {
    cpSync(at('whole'), at('ruined'), { recursive: true });
    for (const name of checkpoints('ruined'))
      writeFileSync(at('ruined/unlearn/checkpoints', name, 'optimizer.safetensors'), '');
    const { code, stderr } = await lethe(folder, ...command('ruined'));
    expect(code).toBe(1);
    expect(stderr).toContain('every checkpoint is damaged');
  });

  it('another start model under the same path: refuses to go on, and to call the run finished', async () => {
    const start = at('runs/base/model/model.safetensors');
    const before = readFileSync(start);
    const stopped = await interrupt('replaced', 'SIGTERM', 25);
    expect(stopped.code).toBe(143);
    writeFileSync(start, weights('whole'));
    rmSync(at('runs/base/model/SHA256SUMS')); // meant to be another
    for (const runs of ['whole', 'replaced']) {
      const { code, stderr } = await lethe(folder, ...command(runs));
      expect(code).toBe(1);
      const run = join(runs, 'unlearn');
      expect(stderr).toContain(
        `runs/base/model/model.safetensors is not the file that ${run} started from; restore it`,
      );
    }
    writeFileSync(start, before);
    await succeed(folder, ...command('replaced'));
    expect(weights('replaced').equals(weights('whole'))).toBe(true);
  });

  it('a finished run is finished though its start model is gone', async () => {
    renameSync(at('runs/base'), at('runs/moved'));
    const { stderr } = await succeed(folder, ...command('whole'));
    expect(stderr).toContain('whole/unlearn is finished (120 steps); nothing to do');
    renameSync(at('runs/moved'), at('runs/base'));
  });
});
