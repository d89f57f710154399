import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, failureHere, jsonl, letheHere, startLethe, succeed, temporaryFolder } from './lethe.js';
import { prepareProject } from './small-project.js';

const STEPS = 60;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

const HELD_OUT = [
  'validation.replay=[{ shards: natural/heldout }]',
  'validation.forget=[{ shards: synthetic/heldout }]',
  'validation.every=10',
  'validation.rows=12',
];
/** Gradient ascent with weight 1: it ruins the model within a few steps. */
const RUINOUS = ['objective.method=ga', 'objective.weights.forgetting=1'];

/** Unlearning in a folder of runs. */
const unlearn = (runs: string, ...changes: string[]): string[] => [
  'unlearn',
  '--recipe',
  'unlearn.yaml',
  ...['model.init=runs/synth/model', `runs=${runs}`, `steps=${STEPS}`, ...changes].flatMap((change) => [
    '--set',
    change,
  ]),
];
const pretrain = (runs: string, ...changes: string[]): string[] => [
  'pretrain',
  '--recipe',
  'pretrain.yaml',
  ...[`runs=${runs}`, ...changes].flatMap((change) => ['--set', change]),
];

const weights = (...path: string[]): Buffer => readFileSync(at(...path, 'model.safetensors'));
const checkpoints = (runs: string, name = 'unlearn'): number[] =>
  readdirSync(at(runs, name, 'checkpoints')).map((step) => Number(step.replace('step-', '')));

interface Record {
  step: number;
  loss?: number;
  stop?: string;
  validation?: { [measure: string]: number };
}

/** Metrics without what depends on time and on what else the process has done. */
const metrics = (runs: string, name = 'unlearn'): Record[] =>
  jsonl<Record & { [key: string]: unknown }>(folder, runs, name, 'metrics.jsonl').map((record) => {
    const {
      seconds: _seconds,
      tokensPerSecond: _speed,
      memoryBytes: _memory,
      crc: _seal,
      validation,
      ...rest
    } = record;
    if (!validation) return rest;
    const { seconds: _took, ...measures } = validation;
    return { ...rest, validation: measures };
  });

const outcomes = (runs: string, name = 'unlearn'): string[] =>
  (
    JSON.parse(readFileSync(at(runs, name, 'manifest.json'), 'utf8')) as { launches: { outcome: string }[] }
  ).launches.map(({ outcome }) => outcome);

async function here(...args: string[]): Promise<Ended> {
  const ended = await letheHere(folder, ...args);
  if (ended.code !== 0) throw new Error(`lethe ${args.join(' ')} ended with ${ended.code}\n${ended.stderr}`);
  return ended;
}

/** Starts a run, waits until it has written a number of records, and sends SIGINT. */
async function interrupt(runs: string, records: number, args: string[]): Promise<Ended> {
  const running = startLethe(folder, ...args);
  const file = at(runs, 'unlearn/metrics.jsonl');
  const count = (): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
  while (count() < records && running.process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  running.process.kill('SIGINT');
  return running.ended;
}

/** A model that has learned the synthetic pattern: there is something to forget. */
beforeAll(async () => {
  await prepareProject(folder);
  const both = 'data.replay=[{ shards: natural/train }, { shards: synthetic/train }]';
  await here(...pretrain('runs', 'name=synth', 'steps=100', both));
}, 180000);

describe('validation', () => {
  beforeAll(() => here(...unlearn('validated', ...HELD_OUT)), 180000);

  it.each(['fp32', 'bf16'])('leaves the weights as they are without it, in %s', async (precision) => {
    const changes = [`precision=${precision}`, 'steps=25'];
    await here(...unlearn(`plain-${precision}`, ...changes));
    await here(...unlearn(`with-${precision}`, ...changes, ...HELD_OUT, 'validation.every=3'));
    const model = ['unlearn', 'model'];
    expect(weights(`with-${precision}`, ...model).equals(weights(`plain-${precision}`, ...model))).toBe(true);
    const terms = (runs: string): Record[] =>
      metrics(runs).flatMap(({ validation: _validation, ...rest }) => (rest.step > 0 ? [rest] : []));
    expect(terms(`with-${precision}`)).toEqual(terms(`plain-${precision}`));
  });

  it('is recorded before the first step, every so many steps, and at the end', async () => {
    await here(...unlearn('odd', ...HELD_OUT, 'steps=25', 'metrics.every=7'));
    const records = metrics('odd');
    expect(records.map(({ step }) => step)).toEqual([0, 1, 7, 10, 14, 20, 21, 25]);
    expect(records.flatMap(({ step, validation }) => (validation ? [step] : []))).toEqual([0, 10, 20, 25]);
    expect(records.map(({ loss }) => typeof loss)).toEqual(['undefined', ...Array<string>(7).fill('number')]);
    expect(Object.keys(records[0].validation!)).toEqual(['replay', 'perplexity', 'mitigation', 'forgetP', 'forgetNll']);
  });

  it('measures the start at step 0, and forgetting that reaches held-out rows', () => {
    const records = metrics('validated');
    const [start, end] = [records[0], records.at(-1)!].map(({ validation }) => validation!);
    expect(start.perplexity).toBe(Math.exp(start.replay));
    expect(Math.abs(start.mitigation)).toBeLessThan(1e-6);
    expect(start.forgetNll).toBeGreaterThanOrEqual(-Math.log(start.forgetP)); // Jensen.
    expect(end.forgetP).toBeLessThan(0.9 * start.forgetP);
    expect(end.forgetNll).toBeGreaterThan(start.forgetNll);
    expect(end.mitigation).toBeGreaterThan(0.001);
  });

  it('agrees with lethe diagnose on the same text', async () => {
    // All held-out rows: the same tokens, but for packing, which cuts a few documents and their contexts in two.
    await here(...unlearn('all', ...HELD_OUT, 'validation.rows=1000', 'data.rowLength=128', 'steps=1'));
    const args = ['--base', 'runs/synth/model', '--model', 'runs/synth/model', '--data', 'natural/heldout'];
    await here('diagnose', ...args, '--out', 'diagnosed');
    const { perplexities } = JSON.parse(readFileSync(at('diagnosed/diagnosis.json'), 'utf8')) as {
      perplexities: { models: { perplexity: number }[] }[];
    };
    const ratio = metrics('all')[0].validation!.perplexity / perplexities[0].models[0].perplexity;
    expect(Math.abs(ratio - 1)).toBeLessThan(0.005);
  });

  it('measures the same rows under another seed', async () => {
    await here(...unlearn('seed-2', ...HELD_OUT, 'seed=2', 'steps=1'));
    expect(metrics('seed-2')[0]).toEqual(metrics('validated')[0]);
    expect(metrics('seed-2')[1].loss).not.toBe(metrics('validated')[1].loss);
  });

  it('does not depend on the rows of a micro-batch, but for rounding', async () => {
    await here(...unlearn('rows-3', ...HELD_OUT, 'batch.forgetRows=1', 'steps=1'));
    const [one, other] = ['rows-3', 'validated'].map((runs) => metrics(runs)[0].validation!);
    for (const [name, value] of Object.entries(one)) expect(value).toBeCloseTo(other[name], 5);
  });

  it('goes to TensorBoard and the log', async () => {
    const { stderr } = await here(...unlearn('told', ...HELD_OUT, 'steps=10'));
    expect(stderr).toMatch(
      /validation after step 0: {2}replay [\d.]+ \(perplexity [\d.]+\) {2}mitigation 0\.0000 {2}forgetP [\d.]+ {2}forgetNll [\d.]+\n/,
    );
    expect(stderr).toMatch(/validation after step 10: {2}replay [\d.]+ \(perplexity [\d.]+, [+-][\d.]+%\)/);
    const board = at('told/unlearn/tensorboard');
    const events = readFileSync(join(board, readdirSync(board)[0]), 'latin1');
    for (const name of ['replay', 'perplexity', 'forgetP']) expect(events).toContain(`validation/${name}`);
  });

  it('is resumed with the run: the same records, the same weights', async () => {
    const stopped = await interrupt('resumed', 15, unlearn('resumed', ...HELD_OUT));
    expect(stopped.code).toBe(130);
    const { stderr } = await here(...unlearn('resumed', ...HELD_OUT));
    expect(stderr).toMatch(/resuming \S+ after step \d+/);
    expect(stderr).not.toContain('validation after step 0:');
    expect(metrics('resumed')).toEqual(metrics('validated'));
    expect(weights('resumed/unlearn/model').equals(weights('validated/unlearn/model'))).toBe(true);
  });

  it('is in the plan, with its cost', async () => {
    const { stdout } = await here(...unlearn('planned', ...HELD_OUT), '--dry-run');
    // 7 validations of 12 replay rows (twice: the original reads them too) and 12 forget rows; 60 steps of 28 row passes.
    expect(stdout).toContain(
      'validation: up to 12 rows of replay, 12 rows of forget, 7 times: 10,752 tokens, about 15% of',
    );
    expect(stdout).toMatch(/original model: one forward pass .*; model\.original: cached computes \d+ rows, /);
    const cached = await here(...unlearn('planned', ...HELD_OUT, 'model.original=cached'), '--dry-run');
    expect(cached.stdout).toContain('7 times: 10,752 tokens, about 12% of');
    expect(cached.stdout).toMatch(/^ {2}original's output head: [\d.]+ MiB$/m);
    expect(cached.stdout).toMatch(
      /^original model: cached: up to \d+ rows, [\d.]+ MiB beside the shards \(.* GiB free there\), each computed once and read \d+(\.\d)? times; live: one/m,
    );
    expect(existsSync(at('planned'))).toBe(false);
  });

  it('refuses shards that are missing, changed since, or without their rule', async () => {
    const missing = 'validation.replay=[{ shards: nosuch }]';
    expect(await failureHere(folder, ...unlearn('refused', ...HELD_OUT, missing))).toContain('nosuch/index.json');
    expect(await failureHere(folder, ...unlearn('refused', 'stop.forgetP=0.1'))).toContain(
      'validation.forget: shards that stop.forgetP is decided by',
    );
    expect(await failureHere(folder, ...unlearn('refused', ...HELD_OUT, 'stop.forgetp=0.1'))).toContain(
      "stop.forgetp: unknown key; did you mean 'forgetP'?",
    );
    expect(await failureHere(folder, ...unlearn('validated', ...HELD_OUT, 'validation.rows=13'))).toContain(
      'holds a run of another recipe',
    );
    expect(existsSync(at('refused'))).toBe(false);
  });
});

describe('a run that reaches its goal', () => {
  const goal = (runs: string, forgetP: number): string[] =>
    unlearn(runs, ...HELD_OUT, `stop.forgetP=${forgetP}`, 'checkpoint.every=25');
  /** A goal between what steps 10 and 20 measure, and one between steps 30 and 40. */
  let first: number;
  let second: number;

  beforeAll(async () => {
    await here(...unlearn('free', ...HELD_OUT));
    const p = metrics('free').flatMap(({ validation }) => validation?.forgetP ?? []);
    first = (p[1] + p[2]) / 2;
    second = (p[3] + p[4]) / 2;
    await here(...goal('goal', first));
  }, 180000);

  it('ends there with its model, and says why', async () => {
    expect(outcomes('goal')).toEqual([
      expect.stringMatching(/^finished: at step 20 of 60, the mean probability of synthetic targets is 0\.\d+, and/),
    ]);
    expect(metrics('goal').at(-1)).toMatchObject({ step: 20, stop: 'forgetP' });
    expect(metrics('goal')).toEqual([...metrics('free').slice(0, 20), { ...metrics('free')[20], stop: 'forgetP' }]);
    expect(checkpoints('goal')).toEqual([20]);
    expect(weights('goal/unlearn/model').equals(weights('goal/unlearn/checkpoints/step-00000020/model'))).toBe(true);
  });

  it('does not train on by the same command', async () => {
    const { code, stderr } = await here(...goal('goal', first));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^goal\/unlearn ended at step 20 of 60: the mean probability .*; nothing to do\n$/);
    expect(outcomes('goal')).toHaveLength(1);
  });

  it('trains on to a lower goal, as a run that had it from the beginning', async () => {
    cpSync(at('goal'), at('lower'), { recursive: true });
    const { stderr } = await here(...goal('lower', second));
    expect(stderr).toContain('resuming lower/unlearn after step 20');
    await here(...goal('straight', second));
    expect(metrics('straight').at(-1)).toMatchObject({ step: 40, stop: 'forgetP' });
    expect(weights('lower/unlearn/model').equals(weights('straight/unlearn/model'))).toBe(true);
  });

  it('refuses a goal that lies behind it', async () => {
    const message = await failureHere(folder, ...goal('goal', 0.999));
    expect(message).toContain('by stop.forgetP goal/unlearn would have ended at step 0, and it is at step 20');
  });

  it('decides the same where it is interrupted and resumed', async () => {
    const stopped = await interrupt('goal-resumed', 14, goal('goal-resumed', first));
    // The signal may come when the run has ended by itself.
    expect([0, 130]).toContain(stopped.code);
    await succeed(folder, ...goal('goal-resumed', first));
    expect(metrics('goal-resumed')).toEqual(metrics('goal'));
    expect(weights('goal-resumed/unlearn/model').equals(weights('goal/unlearn/model'))).toBe(true);
  });

  it('is told where it is not reached', async () => {
    const { stderr } = await here(...unlearn('missed', ...HELD_OUT, 'stop.forgetP=1e-9', 'steps=5'));
    expect(stderr).toMatch(/warn: stop\.forgetP 1e-9 was not reached in 5 steps: it is 0\.\d+/);
    expect(outcomes('missed')).toEqual(['finished']);
  });
});

describe('a run that passes its limit', () => {
  const guarded = (runs: string, rise: number): string[] => {
    const often = ['validation.every=2', `stop.maxPerplexityRise=${rise}`, 'checkpoint.every=1', 'checkpoint.keep=1'];
    return unlearn(runs, ...HELD_OUT, ...RUINOUS, ...often);
  };
  /** A limit that steps 2 and 4 keep and step 6 does not. */
  let limit: number;
  let ended: Ended;

  beforeAll(async () => {
    await here(...unlearn('ruined', ...HELD_OUT, ...RUINOUS, 'validation.every=2', 'steps=20'));
    const rises = metrics('ruined')
      .flatMap(({ validation }) => validation?.perplexity ?? [])
      .map((perplexity, _i, all) => perplexity / all[0] - 1);
    const passed = rises.findIndex((rise, i) => i > 1 && rises.slice(0, i).every((before) => before < rise));
    limit = (Math.max(...rises.slice(0, passed)) + rises[passed]) / 2;
    ended = await letheHere(folder, ...guarded('guarded', limit));
  }, 180000);

  it('ends with exit code 3, keeps the last checkpoint within it, and saves no model', () => {
    expect(ended.code).toBe(3);
    const [, at_, held] = /ended at step (\d+) of 60: held-out perplexity .* of step (\d+): guarded\S+\/model/.exec(
      ended.stderr,
    )!;
    expect(Number(held)).toBe(Number(at_) - 2);
    expect(checkpoints('guarded')).toEqual([Number(held), Number(at_)]);
    expect(existsSync(at('guarded/unlearn/model'))).toBe(false);
    expect(metrics('guarded').at(-1)).toMatchObject({ step: Number(at_), stop: 'maxPerplexityRise' });
    expect(outcomes('guarded')).toEqual([expect.stringMatching(/^exceeded: at step \d+ of 60, held-out perplexity/)]);
  });

  it('keeps a model that other commands take', async () => {
    const [step] = checkpoints('guarded');
    const model = join('guarded/unlearn/checkpoints', `step-${String(step).padStart(8, '0')}`, 'model');
    const { stdout } = await here('generate', '--model', model, '--prompt', 'The', '--max-new-tokens', '2');
    expect(stdout).not.toBe('');
  });

  it('does not train on by the same command, and exits the same', async () => {
    const again = await letheHere(folder, ...guarded('guarded', limit));
    expect(again.code).toBe(3);
    expect(again.stderr).toMatch(/^error: guarded\/unlearn ended at step \d+ of 60: /);
    expect(outcomes('guarded')).toHaveLength(1);
  });

  it('trains on where the limit is raised, as a run that had it from the beginning', async () => {
    cpSync(at('guarded'), at('raised'), { recursive: true });
    await here(...guarded('raised', 1e6), '--set', 'steps=60');
    await here(...guarded('high', 1e6));
    expect(weights('raised/unlearn/model').equals(weights('high/unlearn/model'))).toBe(true);
  });
});

describe('patience', () => {
  const patient = (runs: string): string[] => {
    const validation = ['validation.replay=[{ shards: natural/heldout }]', 'validation.every=5', 'stop.patience=1'];
    return pretrain(runs, 'steps=200', 'optimizer.lr=6e-2', 'checkpoint.keep=1', ...validation);
  };

  it('ends a run, and its model is the best one', async () => {
    const { stderr } = await here(...patient('patient'));
    const records = metrics('patient', 'base').filter(({ validation }) => validation);
    const [best, last] = records.slice(-2);
    expect(last).toMatchObject({ stop: 'patience', step: best.step + 5 });
    expect(last.step).toBeLessThan(200);
    expect(best.validation!.replay).toBe(Math.min(...records.map(({ validation }) => validation!.replay)));
    expect(checkpoints('patient', 'base')).toEqual([best.step, last.step]);
    expect(stderr).toContain(`model in patient/base/model, of step ${best.step}`);
    const saved = at('patient/base/checkpoints', `step-${String(best.step).padStart(8, '0')}`, 'model');
    expect(readdirSync(at('patient/base/model')).sort()).toEqual(readdirSync(saved).sort());
    expect(weights('patient/base/model').equals(readFileSync(join(saved, 'model.safetensors')))).toBe(true);
    expect((await here(...patient('patient'))).stderr).toContain('nothing to do');
  });

  it('saves its model where the process ended before it could', async () => {
    cpSync(at('patient'), at('unsaved'), {
      recursive: true,
      filter: (source) => !source.endsWith(join('base', 'model')),
    });
    expect(existsSync(at('unsaved/base/model'))).toBe(false);
    await here(...patient('unsaved'));
    expect(weights('unsaved/base/model').equals(weights('patient/base/model'))).toBe(true);
  });
});

describe('a sweep', () => {
  it('weighs held-out measures, and takes runs past a limit off the front', async () => {
    copyFileSync(at('unlearn.yaml'), at('sweep.yaml'));
    const set = ['model.init=runs/synth/model', ...HELD_OUT, 'steps=20', 'stop.maxPerplexityRise=0.05'].flatMap(
      (change) => ['--set', change],
    );
    const args = ['sweep', 'unlearn', '--recipe', 'sweep.yaml', '--name', 'swept', ...set];
    const vary = ['--vary', 'objective.weights.forgetting=0.01,3', '--set', 'objective.method=ga'];
    const { code, stdout, stderr } = await letheHere(folder, ...args, ...vary);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +objective\.weights\.forgetting +validation\.forgetP/m);
    expect(stdout).toMatch(/^\* +0\.01 .* finished +forgetting-0\.01$/m);
    expect(stdout).toMatch(/^ +3 .* exceeded at 10 of 20 +forgetting-3$/m);
    expect(stdout).toContain(
      '* no other run is as small in validation.forgetP, validation.replay, validation.mitigation',
    );
    expect(stderr).toContain('swept/forgetting-3 ended at step 10 of 20: held-out perplexity');
    const csv = readFileSync(at('runs/swept/sweep.csv'), 'utf8').split('\n');
    expect(csv[0]).toContain('validation.perplexity_start,validation.perplexity_end');
  });
});
