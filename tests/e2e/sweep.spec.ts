import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureHere, filesIn, jsonl, letheHere, misuseHere, startLethe, succeed, temporaryFolder } from './lethe.js';
import { itCanBeRead } from './readable-page.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const sweep = (...rest: string[]): string[] => ['sweep', 'unlearn', '--recipe', 'unlearn.yaml', ...rest];
const weights = (...run: string[]): Buffer => readFileSync(at('runs', ...run, 'model/model.safetensors'));

/** The metrics of a run without what depends on time, and on what else the process has done. */
const metricsOf = (...run: string[]): Record<string, unknown>[] =>
  jsonl<Record<string, unknown>>(folder, 'runs', ...run, 'metrics.jsonl').map((record) => {
    const { seconds: _seconds, tokensPerSecond: _speed, memoryBytes: _memory, crc: _seal, ...rest } = record;
    return rest;
  });

interface Launch {
  outcome: string;
  command: string[];
}
const launchesOf = (...run: string[]): Launch[] =>
  (JSON.parse(readFileSync(at('runs', ...run, 'manifest.json'), 'utf8')) as { launches: Launch[] }).launches;
const outcomes = (...run: string[]): string[] => launchesOf(...run).map(({ outcome }) => outcome);

/** The runs of sweep.json by what became of them. */
function told(name: string): Record<string, string[]> {
  const text = readFileSync(at('runs', name, 'sweep.json'), 'utf8');
  const { runs } = JSON.parse(text) as { runs: { run: string; outcome: string; onFront: boolean }[] };
  const of = (outcome: string): string[] => runs.filter((run) => run.outcome === outcome).map(({ run }) => run);
  return { finished: of('finished'), failed: of('failed'), stopped: of('stopped') };
}

beforeAll(() => pretrainProject(folder), 300_000);

describe('lethe sweep', () => {
  const grid = sweep('--name', 'grid', '--set', 'steps=8', '--vary', 'optimizer.lr=1e-3,1e30,2e-3');

  it('--dry-run shows the runs and writes nothing', async () => {
    const before = filesIn(folder);
    const { code, stdout } = await letheHere(folder, ...grid, '--vary', 'precision=fp32,bf16', '--dry-run');
    expect(code).toBe(0);
    expect(stdout.match(/^lr-\S+_precision-\S+ +8 +4,096 +\d+\.\d MiB +not begun$/gm)).toHaveLength(6);
    expect(stdout).toContain(`6 runs in ${join('runs', 'grid')}, one after another: 48 steps, 24,576 tokens`);
    expect(filesIn(folder)).toEqual(before);
  });

  it('goes on after a run that fails, says so, and leaves finished runs alone the next time', async () => {
    const first = await letheHere(folder, ...grid);
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(/error: lr-1e30: step 2: .* is not finite/);
    expect(first.stderr).toContain('1 of 3 runs failed');
    expect(first.stdout).toMatch(/^\*? +0\.002 .* finished +lr-0\.002$/m);
    expect(told('grid')).toEqual({ finished: ['lr-0.001', 'lr-0.002'], failed: ['lr-1e30'], stopped: [] });
    const [csv, json] = ['sweep.csv', 'sweep.json'].map((name) => readFileSync(at('runs/grid', name)));
    expect(csv.toString().split('\n')[3]).toMatch(/^lr-1e30,1e\+30,failed,"?step 2: /);

    const again = await letheHere(folder, ...grid);
    expect(again.code).toBe(1);
    expect(again.stderr.match(/is finished \(8 steps\); nothing to do/g)).toHaveLength(2);
    expect(outcomes('grid/lr-0.001')).toEqual(['finished']);
    expect(outcomes('grid/lr-1e30')).toHaveLength(2); // Tried again.
    expect(readFileSync(at('runs/grid/sweep.json')).equals(json)).toBe(true);
    expect(readFileSync(at('runs/grid/sweep.csv')).equals(csv)).toBe(true);
    expect(again.stdout).toBe(first.stdout);
  });

  it('is shown by `lethe report` with the run that failed', async () => {
    const { stdout, stderr } = await succeed(folder, 'report', 'runs/grid');
    expect(stdout).toMatch(/^lr-0\.002 +unlearn +finished +8 of 8 +4,096 /m);
    expect(stdout).toMatch(/^forgetP +0\.\d+ → 0\.\d+ +0\.\d+ → 0\.\d+ +0\.\d+ → 0\.\d+$/m);
    expect(stderr).toMatch(/warn: lr-1e30: failed: step 2: .* is not finite/);
    const page = readFileSync(at('runs/grid/training.html'), 'utf8');
    expect(page.match(/<svg/g)!.length).toBeGreaterThan(8);
    expect(page).toContain('<th scope="row">optimizer.lr</th><td>0.001</td><td>0.002</td><td>1e+30</td>');
  });

  itCanBeRead('its page', () => at('runs/grid/training.html'));

  it('makes the runs that the command by itself makes', async () => {
    const [{ command }] = launchesOf('grid/lr-0.002');
    const set = ['steps=8', 'optimizer.lr=0.002', `runs=${join('runs', 'grid')}`, 'name=lr-0.002'];
    const byHand = ['lethe', 'unlearn', '--recipe', 'unlearn.yaml', ...set.flatMap((change) => ['--set', change])];
    expect(command).toEqual(byHand);
    await succeed(folder, ...command.slice(1), '--set', 'runs=runs', '--set', 'name=by-hand');
    expect(weights('by-hand').equals(weights('grid/lr-0.002'))).toBe(true);
    expect(weights('by-hand').equals(weights('grid/lr-0.001'))).toBe(false);
    expect(metricsOf('by-hand')).toEqual(metricsOf('grid/lr-0.002'));
  });

  it('stops at a signal, and goes on by the same command', async () => {
    const long = sweep('--name', 'long', '--set', 'steps=60', '--vary', 'objective.method=complement,ga');
    const running = startLethe(folder, ...long);
    const metrics = at('runs/long/method-complement/metrics.jsonl');
    while (running.process.exitCode === null && !(existsSync(metrics) && readFileSync(metrics).length > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    running.process.kill('SIGINT');
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain(
      `stopped after 0 of 2 runs; run the same command to go on: npx lethe ${long.join(' ')}`,
    );
    expect(stopped.stdout).toBe('');
    expect(told('long')).toEqual({ finished: [], failed: [], stopped: ['method-complement'] });

    const { stderr, stdout } = await succeed(folder, ...long);
    expect(stderr).toMatch(/resuming \S+method-complement after step \d+/);
    expect(outcomes('long/method-complement')).toEqual(['stopped by SIGINT', 'finished']);
    expect(told('long').finished).toEqual(['method-complement', 'method-ga']);
    expect(stdout).toMatch(/^\* .*finished +method-/m);
    await succeed(folder, 'unlearn', '--recipe', 'unlearn.yaml', '--set', 'steps=60');
    expect(weights('long/method-complement').equals(weights('unlearn'))).toBe(true);
  });

  it('refuses a name whose runs are of another recipe, before any run', async () => {
    const other = (...changes: string[]) =>
      sweep('--name', 'grid', ...changes.flatMap((change) => ['--set', change]), '--vary', 'optimizer.lr=3e-3,2e-3');
    const run = join('runs', 'grid', 'lr-0.002');
    expect(await failureHere(folder, ...other('steps=8', 'seed=9'))).toContain(
      `--vary optimizer.lr=0.002: ${run} holds a run of another recipe: seed was 1 and is 9; choose`,
    );
    expect(await failureHere(folder, ...other('steps=9'))).toContain(
      'steps was 8 and is 9 (the learning rates of a cosine depend on it)',
    );
    expect(existsSync(at('runs/grid/lr-0.003'))).toBe(false);
  });
});

describe('a sweep is refused, before any run', () => {
  afterEach(() => expect(readdirSync(at('runs'))).not.toContain('refused'));

  it.each([
    [
      'with an unknown key',
      ['--vary', 'optimzer.lr=1,2'],
      "--vary optimzer.lr: optimzer: unknown key; did you mean 'opt",
    ],
    ['with a wrong value', ['--vary', 'optimizer.lr=1,fast'], '--vary optimizer.lr: optimizer.lr: expected number'],
    [
      'with values that compute the same',
      ['--vary', 'threads=1,2'],
      '--vary threads=2: computes the same as --vary th',
    ],
    [
      'with rows beyond the context',
      ['--vary', 'data.rowLength=64,129'],
      '--vary data.rowLength=129: data.rowLength is',
    ],
    ['with a missing model', ['--vary', 'model.init=runs/base/model,nosuch'], '--vary model.init=nosuch: nosuch'],
    ['with the name of a run', ['--name', 'base', '--vary', 'steps=1,2'], 'is the folder of a run'],
  ])('%s', async (_case, rest, message) => {
    expect(await failureHere(folder, ...sweep('--name', 'refused', ...rest))).toContain(message);
  });

  it.each([
    ['without anything to vary', [], 'what should vary?'],
    ['with a value twice', ['--vary', 'steps=2,2'], '--vary steps: the value 2 is given twice'],
    ['with an empty list', ['--vary', 'steps='], '--vary steps: no values'],
    ['with a wrong name', ['--name', 'a/b', '--vary', 'steps=1,2'], '--name a/b: expected letters'],
    ['with an unknown flag', ['--varry', 'steps=1,2'], 'Did you mean --vary?'],
  ])('%s: the command line is wrong', async (_case, rest, message) => {
    expect(await misuseHere(folder, ...sweep('--name', 'refused', ...rest))).toContain(message);
  });

  it('of another command than the recipe’s, or of none', async () => {
    const rest = ['--recipe', 'unlearn.yaml', '--vary', 'steps=1,2'];
    expect(await failureHere(folder, 'sweep', 'pretrain', ...rest)).toContain('this recipe is for `lethe unlearn`');
    expect(await misuseHere(folder, 'sweep', 'eval', ...rest)).toContain('Allowed choices are pretrain, unlearn');
  });
});
