import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import { readSweep, type SweptRun } from './read-sweep.js';
import { sweepCsv, sweepTable } from './sweep-table.js';

const folder = join(mkdtempSync(join(tmpdir(), 'lethe-sweep-')), 'mine');
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

function recipeOf(name: string, changes: object): TrainRecipe {
  const data = { rowLength: 64, replay: [{ shards: 'a' }], forget: [{ shards: 'b' }] };
  const batch = { replayRows: 2, forgetRows: 2 };
  const basis = { name, runs: folder, stage: 'unlearn', model: { init: 'models/synth' }, data, batch, steps: 20 };
  return trainRecipeSchema.parse({ ...basis, ...changes });
}

interface Written {
  changes?: object;
  outcome?: string | null;
  started?: string;
  /** Loss terms of step 1, of steps 2 to 18, of steps 19 and 20. */
  terms?: [number, number, number][];
  numSteps?: number;
}

/** Writes the files of a run whose three terms are `terms` at the start, on the way, and at the end. */
function writeRun(name: string, { changes = {}, outcome = 'finished', started = '', terms, numSteps = 20 }: Written) {
  const recipe = recipeOf(name, changes);
  mkdirSync(join(folder, name), { recursive: true });
  const launches = [{ outcome: null }, { started, outcome }].map((launch) => ({ started, ...launch }));
  writeFileSync(join(folder, name, 'manifest.json'), JSON.stringify({ name, recipe, launches }));
  if (!terms) return;
  const lines = Array.from({ length: numSteps }, (_, i) => {
    const [forgetP, replay, mitigation] = terms[i === 0 ? 0 : i < 18 ? 1 : 2];
    return `${JSON.stringify({ step: i + 1, forgetting: 2 * forgetP, forgetP, replay, mitigation })}\n`;
  });
  writeFileSync(join(folder, name, 'metrics.jsonl'), lines.join(''));
}

const START: [number, number, number] = [0.5, 3, 0];
const endingIn = (...end: [number, number, number]): [number, number, number][] => [START, [9, 9, 9], end];
const lr = (value: number): object => ({ optimizer: { lr: value }, threads: Math.ceil(value * 1e5) });

beforeAll(() => {
  writeRun('strong', { changes: lr(3e-5), started: '2025-01-03T00:00:00Z', terms: endingIn(0.1, 3.5, 0.5) });
  writeRun('mild', { changes: lr(1e-5), started: '2026-01-01T00:00:00Z', terms: endingIn(0.3, 3.1, 0.1) });
  writeRun('worse', { changes: lr(2e-5), started: '2026-01-02T00:00:00Z', terms: endingIn(0.3, 3.2, 0.1) });
  const nan = 'failed: step 7: the replay loss is NaN, "batch"';
  writeRun('wild', {
    changes: lr(1),
    outcome: nan,
    started: '2026-01-04T00:00:00Z',
    terms: [START, START, START],
    numSteps: 6,
  });
  writeRun('cut', { changes: lr(2), outcome: 'stopped by SIGINT', started: '2026-01-05T00:00:00Z' });
  writeRun('gone', { changes: lr(3), outcome: null, started: '2026-01-06T00:00:00Z' });
  mkdirSync(join(folder, 'not-a-run'));
  writeFileSync(join(folder, 'sweep.json'), 'an earlier one');
});

describe('readSweep', () => {
  const byName = (): Record<string, SweptRun> =>
    Object.fromEntries(readSweep(folder).runs.map((run) => [run.run, run]));

  it('tells every run in the order of the values in which they differ, whenever it began', () => {
    const { name, keys, front, runs } = readSweep(folder);
    expect({ name, keys, front }).toEqual({
      name: 'mine',
      keys: ['optimizer.lr'], // Not name, nor threads, which change no weight.
      front: ['forgetP', 'replay', 'mitigation'],
    });
    expect(runs.map(({ run }) => run)).toEqual(['mild', 'worse', 'strong', 'wild', 'cut', 'gone']);
    expect(runs[0]).toEqual({
      run: 'mild',
      folder: join(folder, 'mild'),
      values: { 'optimizer.lr': 1e-5 },
      outcome: 'finished',
      step: 20,
      steps: 20,
      start: { forgetting: 1, forgetP: 0.5, replay: 3, mitigation: 0 },
      end: { forgetting: 0.6, forgetP: 0.3, replay: 3.1, mitigation: 0.1 },
      onFront: true,
    });
  });

  it('puts finished runs that nothing beats on the front', () => {
    expect(readSweep(folder).runs.flatMap(({ run, onFront }) => (onFront ? [run] : []))).toEqual(['mild', 'strong']);
  });

  it('tells how the others ended', () => {
    const { wild, cut, gone } = byName();
    expect(wild).toMatchObject({ outcome: 'failed', reason: 'step 7: the replay loss is NaN, "batch"', step: 6 });
    expect(cut).toMatchObject({ outcome: 'stopped', step: 0, start: {}, end: {} });
    expect(gone).toMatchObject({ outcome: 'unfinished' });
    expect([cut, gone].some((run) => 'reason' in run)).toBe(false);
  });

  it('weighs only what every finished run has measured', () => {
    const other = join(folder, '..', 'other');
    mkdirSync(join(other, 'x'), { recursive: true });
    const manifest = { recipe: recipeOf('x', {}), launches: [{ started: '', outcome: 'finished' }] };
    writeFileSync(join(other, 'x', 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(join(other, 'x', 'metrics.jsonl'), '{"step":20,"replay":2}\n');
    expect(readSweep(other)).toMatchObject({
      front: ['replay'],
      runs: [{ start: {}, end: { replay: 2 }, onFront: true }],
    });
  });
});

describe('held-out measures', () => {
  const validated = join(folder, '..', 'validated');

  interface Validated {
    outcome?: string;
    rise: number;
    stop?: object;
    recipe?: object;
  }

  /** A run whose held-out replay loss goes from 3 to 2.5 to 2.5 and `rise`; training losses say the opposite. */
  function writeValidated(name: string, { outcome = 'finished', rise, stop, recipe = {} }: Validated): void {
    mkdirSync(join(validated, name), { recursive: true });
    const changes = { validation: { replay: [{ shards: 'c' }], every: 10 }, stage: 'refine', ...recipe };
    const manifest = { recipe: { ...recipeOf(name, changes), stop }, launches: [{ started: '', outcome }] };
    writeFileSync(join(validated, name, 'manifest.json'), JSON.stringify(manifest));
    const held = (replay: number): object => ({ validation: { replay, perplexity: Math.exp(replay), seconds: 1 } });
    const lines = [
      { step: 0, ...held(3) },
      { step: 1, replay: 4 },
      { step: 10, replay: 4, ...held(2.5) },
      { step: 20, replay: 9 - rise, ...held(2.5 + rise) },
    ];
    writeFileSync(join(validated, name, 'metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  beforeAll(() => {
    writeValidated('good', { rise: 0.1, recipe: { seed: 2 } });
    writeValidated('bad', { rise: 0.4, recipe: { seed: 3 } });
    writeValidated('past', { rise: 0.05, outcome: 'exceeded: at step 20 of 20, too high', recipe: { seed: 4 } });
  });

  it('start at step 0, end with the model, and go before those of training on the front', () => {
    const { front, runs } = readSweep(validated);
    expect(front).toEqual(['validation.replay']);
    const [good, bad, past] = runs;
    expect(good).toMatchObject({
      start: { replay: 4, 'validation.replay': 3, 'validation.perplexity': Math.exp(3) },
      end: { replay: 8.9, 'validation.replay': 2.6, 'validation.perplexity': Math.exp(2.6) },
      onFront: true,
    });
    expect(bad).toMatchObject({ end: { replay: 8.6 }, onFront: false });
    expect(past).toMatchObject({ outcome: 'exceeded', reason: 'at step 20 of 20, too high', onFront: false });
  });

  it('are of the best model under patience', () => {
    const { runs } = readSweep(validated);
    writeValidated('patient', { rise: 0.1, stop: { patience: 1 }, recipe: { seed: 5 } });
    const patient = readSweep(validated).runs.find(({ run }) => run === 'patient')!;
    rmSync(join(validated, 'patient'), { recursive: true });
    expect(patient.end).toMatchObject({ replay: 8.9, 'validation.replay': 2.5 });
    expect(runs).toHaveLength(3);
  });

  it('take the place of those of training in the table, and stand beside them in the CSV', () => {
    const results = readSweep(validated);
    const lines = sweepTable(results).split('\n');
    expect(lines[0]).toMatch(/^ +seed +validation\.replay +validation\.perplexity +outcome +run$/);
    expect(lines[2]).toMatch(/^\* +2 +3\.0000 -> 2\.6000 +20\.0855 -> 13\.4637 +finished +good$/);
    expect(lines[4]).toMatch(/exceeded at 20 of 20 +past$/);
    expect(lines.at(-1)).toBe('* no other run is as small in validation.replay and smaller in one of them');
    const [header, good] = sweepCsv(results).split('\n');
    expect(header).toMatch(/,mitigation_end,validation\.replay_start,.*,validation\.perplexity_end,front$/);
    expect(good).toBe(`good,2,finished,,20,20,,,,,4,8.9,,,3,2.6,${Math.exp(3)},${Math.exp(2.6)},true`);
  });

  it('give way to those of training where one finished run lacks them', () => {
    mkdirSync(join(validated, 'plain'));
    const manifest = { recipe: recipeOf('plain', {}), launches: [{ started: '', outcome: 'finished' }] };
    writeFileSync(join(validated, 'plain', 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(join(validated, 'plain', 'metrics.jsonl'), '{"step":20,"replay":2}\n');
    const results = readSweep(validated);
    rmSync(join(validated, 'plain'), { recursive: true });
    expect(results.front).toEqual(['replay']);
    expect(sweepTable(results)).toMatch(/ replay +validation\.replay /);
  });
});

describe('the tables', () => {
  it('mark the front, and show losses from start to end', () => {
    const lines = sweepTable(readSweep(folder)).split('\n');
    expect(lines[0]).toMatch(/^ +lr +forgetting +forgetP +replay +mitigation +outcome +run$/);
    expect(lines[2]).toMatch(
      /^\* +1e-5 +1\.0000 -> 0\.6000 +0\.5000 -> 0\.3000 +3\.0000 -> 3\.1000 .* finished +mild$/,
    );
    expect(lines[3]).toMatch(/^ +2e-5 .* worse$/);
    expect(lines[5]).toMatch(/failed at 6 of 20 +wild$/);
    expect(lines.at(-1)).toMatch(/^\* no other run is as small in forgetP, replay, mitigation/);
  });

  it('tell a weight from its loss', () => {
    const keys = ['objective.weights.forgetting', 'optimizer.lr'];
    const results = readSweep(folder);
    const runs = results.runs.map((run) => ({ ...run, values: { [keys[0]]: 1, [keys[1]]: 2 } }));
    const header = sweepTable({ ...results, keys, runs }).split('\n')[0];
    expect(header).toMatch(/^ +objective\.weights\.forgetting +lr +forgetting +forgetP/);
  });

  it('as CSV hold every digit, and quote what needs it', () => {
    const lines = sweepCsv(readSweep(folder)).trimEnd().split('\n');
    expect(lines[0]).toBe(
      'run,optimizer.lr,outcome,reason,step,steps,forgetting_start,forgetting_end,forgetP_start,forgetP_end,' +
        'replay_start,replay_end,mitigation_start,mitigation_end,front',
    );
    expect(lines[1]).toBe('mild,0.00001,finished,,20,20,1,0.6,0.5,0.3,3,3.1,0,0.1,true');
    expect(lines[4]).toContain('wild,1,failed,"step 7: the replay loss is NaN, ""batch""",6,20,');
    expect(lines[5]).toBe('cut,2,stopped,,0,20,,,,,,,,,false');
    expect(lines).toHaveLength(7);
  });

  it('warn where runs learn from different rows', () => {
    const results = readSweep(folder);
    const runs = results.runs.map((run, i) => ({ ...run, values: { seed: i } }));
    expect(sweepTable({ ...results, keys: ['seed'], runs })).toMatch(/\nseed: these runs learn from different rows/);
  });
});
