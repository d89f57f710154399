import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import { trainRecipeSchema } from '@lethe/train';
import { readRuns } from './read-runs.js';
import { runPage } from './run-page.js';
import { measureRows, runRow } from './summary.js';
import { warningsOf } from './warnings.js';

const runs = mkdtempSync(join(tmpdir(), 'lethe-report-'));
afterAll(() => rmSync(runs, { recursive: true }));

const LAUNCH = {
  command: ['lethe', 'unlearn'],
  started: '2026-01-02T03:04:05Z',
  ended: '2026-01-02T04:04:05Z',
  git: { commit: '0123456789abcdef', isDirty: true },
  versions: { lethe: '0.1.0' },
  machine: { cpu: 'CPU <1>', cores: 2, memoryBytes: 1, platform: 'linux' },
};

interface Written {
  lr?: number;
  outcome?: string | null;
  /** Replay loss and forgetP of a step. */
  at?: (step: number) => [number | string, number];
  /** Held-out loss of every tenth step. */
  heldOut?: (step: number) => number;
  numSteps?: number;
  /** All records, instead. */
  metrics?: object[];
}

/** Writes a run's folder as training does. */
function writeRun(
  name: string,
  { lr = 5e-5, outcome = 'finished', at, heldOut, numSteps = 100, metrics }: Written = {},
): string {
  const folder = join(runs, name);
  mkdirSync(folder, { recursive: true });
  const data = { rowLength: 64, replay: [{ shards: 'a' }], forget: [{ shards: 'b' }] };
  const batch = { replayRows: 2, forgetRows: 2 };
  const basis = { name, runs, stage: 'unlearn', model: { init: 'models/<synth>' }, data, batch, steps: 100 };
  const recipe = trainRecipeSchema.parse({ ...basis, optimizer: { lr } });
  const described = [{ role: 'replay', shards: 'a', documents: 1000, tokens: 5e6, sha256: 'ab'.repeat(32) }];
  const launches = [{ ...LAUNCH, outcome }];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ name, recipe, seeds: {}, data: described, launches }));
  const lines = Array.from({ length: at ? numSteps : 0 }, (_, i) => {
    const [replay, forgetP] = at!(i + 1);
    const rest = { gradientNorm: 0.5, tokens: 256, seconds: 0.5, termGradientNorms: { replay: 0.25 } };
    const validation = heldOut && (i + 1) % 10 === 0 && { replay: heldOut(i + 1), seconds: 1 };
    return `${JSON.stringify({ step: i + 1, replay, forgetP, ...rest, ...(validation && { validation }) })}\n`;
  });
  const given = metrics?.map((record) => `${JSON.stringify(record)}\n`);
  writeFileSync(join(folder, 'metrics.jsonl'), (given ?? lines).join(''));
  return folder;
}

const good = writeRun('good', { at: (step) => [3 - 0.002 * step, 0.5 - 0.004 * step] });
const collapsed = writeRun('collapsed', { lr: 1, at: (step) => [3 + 0.1 * step, 0.5 + 0.002 * step] });
const cut = writeRun('cut', {
  outcome: 'failed: step 7: the replay loss is NaN',
  at: (step) => [step === 7 ? 'NaN' : 3, 0.5],
  numSteps: 7,
});
const begun = writeRun('begun', { outcome: null });

describe('readRuns', () => {
  it('takes runs in the order given, and a folder of runs for all of them', () => {
    expect(readRuns([good, begun]).map(({ name }) => name)).toEqual(['good', 'begun']);
    expect(readRuns([runs]).map(({ name }) => name)).toEqual(['begun', 'collapsed', 'cut', 'good', 'overfitted']);
    expect(readRuns([good, good]).map(({ name }) => name)).toEqual([good, good]);
  });

  it('refuses what is no run, by its name', () => {
    mkdirSync(join(runs, 'empty', 'inside'), { recursive: true });
    expect(() => readRuns([join(runs, 'none')])).toThrow(
      new UserError(`${join(runs, 'none')}: no such folder; give the folder of a run, as runs/unlearn`),
    );
    expect(() => readRuns([join(runs, 'empty')])).toThrow('no manifest.json in it or in its folders');
    mkdirSync(join(runs, 'empty', 'other'));
    writeFileSync(join(runs, 'empty', 'other', 'manifest.json'), '{"name": "x", "recipe": {}, "launches": []}');
    expect(() => readRuns([join(runs, 'empty')])).toThrow('no recipe of a training stage');
  });
});

describe('the summary', () => {
  it('tells how far a run went, how fast, and what each measure did', () => {
    const [run] = readRuns([good]);
    expect(runRow(run)).toEqual(['good', 'unlearn', 'finished', '100 of 100', '25,600', '50s', '512']);
    expect(measureRows([run, readRuns([begun])[0]])).toEqual([
      ['forgetP', '0.496 → 0.118', ''],
      ['replay', '2.998 → 2.809', ''],
      ['gradientNorm', '0.5 → 0.5', ''],
      ['termGradientNorms.replay', '0.25 → 0.25', ''],
    ]);
    expect(runRow(readRuns([begun])[0])).toEqual(['begun', 'unlearn', 'unfinished', '0 of 100', '?', '?', '?']);
  });
});

describe('warningsOf', () => {
  it('has none for a run that forgot and kept its text', () => {
    expect(warningsOf(readRuns([good])[0])).toEqual([]);
  });

  it('tells lost text, what was not forgotten, clipping, failures and values that are not finite', () => {
    expect(warningsOf(readRuns([collapsed])[0])).toEqual([
      'the replay loss rose from 3.100 to 12.550: the model is losing natural text',
      'the probability of synthetic tokens did not fall: 0.502 at first, 0.691 at the end',
    ]);
    expect(warningsOf(readRuns([cut])[0])).toEqual([
      'failed: step 7: the replay loss is NaN',
      'replay is NaN at step 7; curves leave such values out',
    ]);
    const [run] = readRuns([good]);
    const recipe = { ...run.recipe, optimizer: { ...run.recipe.optimizer, clipNorm: 0.4 } };
    expect(warningsOf({ ...run, recipe })).toEqual([
      'the gradient was clipped to 0.4 in 100% of the steps: the learning rate is not what sets the pace',
    ]);
  });
});

describe('held-out measures', () => {
  const folder = writeRun('overfitted', {
    at: (step) => [3 - 0.002 * step, 0.5 - 0.004 * step],
    heldOut: (step) => 3 + 0.01 * step,
  });

  it('begin before the first step, and a limit that was passed is told', () => {
    const metrics = [
      { step: 0, validation: { replay: 2.5 } },
      { step: 1, replay: 3, validation: { replay: 4 } },
    ];
    const [run] = readRuns([writeRun('exceeded', { outcome: 'exceeded: held-out perplexity', metrics })]);
    expect(measureRows([run])).toEqual([
      ['replay', '3 → 3'],
      ['validation.replay', '2.5 → 4'],
    ]);
    expect(warningsOf(run)).toEqual(['exceeded: held-out perplexity']);
    expect(runRow(run)).toEqual(['exceeded', 'unlearn', 'exceeded', '1 of 100', '?', '?', '?']);
  });

  it('are drawn, and decide whether text was lost', () => {
    const read = readRuns([folder]);
    expect(measureRows(read)).toContainEqual(['validation.replay', '3.1 → 4']);
    expect(warningsOf(read[0])).toEqual([
      'the held-out loss rose from 3.100 to 4.000: the model is losing natural text',
    ]);
    const page = runPage(read);
    expect(page).toContain('held-out: loss of natural tokens, nats');
    expect(page).not.toContain('validation.seconds');
  });
});

describe('runPage', () => {
  const page = runPage(readRuns([good, collapsed, cut, begun]));

  it('needs nothing from elsewhere, with every number of a figure finite', () => {
    expect(page.slice(0, page.indexOf('<script'))).not.toMatch(/https?:|src=|<link|@import|url\(|undefined/);
    for (const [figure] of page.matchAll(/<svg[\s\S]*?<\/svg>/g)) expect(figure).not.toMatch(/NaN|Infinity/);
    expect(page.match(/<svg/g)).toHaveLength(4); // forgetP, replay, gradientNorm, termGradientNorms.replay
  });

  it('escapes what comes from files', () => {
    expect(page).toContain('models/&lt;synth&gt;');
    expect(page).toContain('CPU &lt;1&gt;, 2 cores');
    expect(page).not.toMatch(/<synth>|<1>/);
  });

  it('names the keys in which recipes differ, and only these', () => {
    const [, differs] = /<h2>What differs<\/h2>([\s\S]*?)<h2>/.exec(page)!;
    expect([...differs.matchAll(/scope="row">([^<]*)/g)].map(([, key]) => key)).toEqual(['optimizer.lr']);
    expect(runPage(readRuns([good]))).not.toContain('What differs');
  });

  it('warns beside the table of runs', () => {
    expect(page).toContain('<b class="not">cut</b>: failed: step 7: the replay loss is NaN');
    expect(runPage(readRuns([good]))).not.toContain('class="not"');
  });

  it('says so of a run that has recorded nothing', () => {
    expect(runPage(readRuns([begun]))).toContain('no step has been recorded yet');
  });
});
