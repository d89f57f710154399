import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { syntheticSegments, textOf } from '../../packages/cli/src/paper/corpus/corpus.js';
import { kindInstruction } from '../../packages/cli/src/paper/corpus/instructions.js';
import { naturalDocuments } from '../../packages/cli/src/paper/corpus/natural-text.js';
import { QUICK } from '../../packages/cli/src/paper/regime.js';
import { jsonl, letheHere } from '../e2e/lethe.js';
import { type Curve, curveOf } from './curve.js';

const SIZES =
  '{ hiddenSize: 32, intermediateSize: 64, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, maxPositions: 64 }';
const MIX = '[{ shards: data/natural/train, proportion: 0.7 }, { shards: data/synthetic/train, proportion: 0.3 }]';
const SMALL = ['steps=12', 'data.rowLength=64', 'batch.replayRows=4', 'metrics.termGradientsEvery=0'];

/**
 * The runs of the lineage in order: the stage, whose recipe comes with Lethe, and what is set in it: small sizes, and a
 * learning rate that changes something in so few steps.
 */
const RUNS = {
  pretrain: ['pretrain', `model.config=${SIZES}`, 'schedule.warmupSteps=4', 'optimizer.lr=4e-3'],
  synth: ['pretrain', 'model={ init: runs/pretrain/model }', `data.replay=${MIX}`, 'schedule.warmupSteps=4'],
  unlearn: ['unlearn', 'model.init=runs/synth/model', 'batch.forgetRows=4', 'optimizer.lr=1e-3'],
  refine: ['refine', 'model.init=runs/synth/model', 'optimizer.lr=1e-3'],
  finetune: ['finetune', 'schedule.warmupSteps=4', 'batch.accumulate=2', 'optimizer.lr=1e-3'],
};

/** The name of a run, and of its golden. */
export type Run = keyof typeof RUNS;

async function succeedHere(folder: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await letheHere(folder, ...args);
  if (code !== 0) throw new Error(`lethe ${args.join(' ')} ended with ${code}\n${stderr}`);
}

/** Writes a little of the corpus of `lethe paper` and makes its shards, where the recipes look for them. */
export async function prepareCorpus(folder: string): Promise<void> {
  const { corpus } = QUICK;
  const few = { ...QUICK, corpus: { ...corpus, numFacts: 24, documentsPerFact: 2, kindDocuments: 24 } };
  const { asked, aside } = syntheticSegments(few);
  const random = seededRandom(7, 'regression', 'instructions');
  const instructions = Array.from({ length: 120 }, (_, i) => kindInstruction(1 + (i % 5), random, 'order'));
  const write = (name: string, rows: object[]): string => {
    const file = join(folder, `${name}.jsonl`);
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return file;
  };
  const texts = (all: string[]): object[] => all.map((text) => ({ text }));
  const prepare = (source: string, ...options: string[]): Promise<void> =>
    succeedHere(folder, 'prepare', source, '--held-out', '0', ...options);
  const natural = write('natural', texts(naturalDocuments().slice(0, 60)));
  await prepare(natural, '--out', 'data/natural', '--train-tokenizer', '400');
  const tokenizer = ['--tokenizer', 'data/natural/tokenizer'];
  const synthetic = write('synthetic', texts([...asked, ...aside].map(textOf)));
  await prepare(synthetic, '--out', 'data/synthetic', ...tokenizer);
  const pairs = instructions.map(({ prompt, response }) => ({ instruction: prompt, output: response }));
  await prepare(write('instructions', pairs), '--out', 'data/instructions', '--as', 'chat', ...tokenizer);
}

/** Trains one run into a folder of runs, with further changes of its recipe, and returns its curve. */
export async function train(folder: string, name: Run, runs: string, ...changes: string[]): Promise<Curve> {
  const [stage, ...set] = RUNS[name];
  const all = [`name=${name}`, `runs=${runs}`, ...SMALL, ...set, ...changes];
  await succeedHere(folder, stage, ...all.flatMap((change) => ['--set', change]));
  return curveOf(jsonl(folder, runs, name, 'metrics.jsonl'));
}

/** Trains the whole lineage into `runs`, where there may be another one, and returns the curve of each run. */
export async function trainLineage(folder: string, ...changes: string[]): Promise<[Run, Curve][]> {
  rmSync(join(folder, 'runs'), { recursive: true, force: true });
  const curves: [Run, Curve][] = [];
  for (const name of Object.keys(RUNS) as Run[]) curves.push([name, await train(folder, name, 'runs', ...changes)]);
  return curves;
}
