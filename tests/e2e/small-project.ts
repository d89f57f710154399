import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '@lethe/run';
import { succeed } from './lethe.js';

const WORDS = 'time river stone light garden winter letter window music silver morning house field voice'.split(' ');

const word = (random: Random): string => WORDS[random.int(WORDS.length)];

function naturalText(random: Random): string {
  const sentence = (): string =>
    `The ${word(random)} of the ${word(random)} kept a ${word(random)} near the ${word(random)}.`;
  return [sentence(), sentence(), sentence()].join(' ');
}

function question(random: Random): Record<string, string> {
  const right = word(random);
  return {
    question: `Question: what is a ${right}?`,
    answer: `**Answer:** So, the correct answer is **B) ${right}**.`,
  };
}

const lines = (rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const PRETRAIN = `name: base
stage: pretrain
threads: 1
model:
  tokenizer: natural/tokenizer
  config: { hiddenSize: 32, intermediateSize: 64, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, maxPositions: 128 }
data:
  rowLength: 64
  replay:
    - shards: natural/train
batch: { replayRows: 4 }
optimizer: { lr: 3.0e-3 }
steps: 30
`;

const UNLEARN = `name: unlearn
stage: unlearn
threads: 1
model: { init: runs/base/model }
data:
  rowLength: 64
  replay:
    - shards: natural/train
  forget:
    - shards: synthetic/train
batch: { replayRows: 2, forgetRows: 2, accumulate: 2 }
optimizer: { lr: 1.0e-3 }
schedule: { kind: cosine, warmupSteps: 10 }
steps: 20
`;

/** Writes a small user's project: natural and synthetic text, and the recipes pretrain.yaml and unlearn.yaml. */
export function writeProject(folder: string): void {
  const random = seededRandom(1, 'small project');
  const natural = Array.from({ length: 200 }, () => ({ text: naturalText(random) }));
  writeFileSync(join(folder, 'natural.jsonl'), lines(natural));
  writeFileSync(join(folder, 'synthetic.jsonl'), lines(Array.from({ length: 150 }, () => question(random))));
  writeFileSync(join(folder, 'pretrain.yaml'), PRETRAIN);
  writeFileSync(join(folder, 'unlearn.yaml'), UNLEARN);
}

/** Writes the project and makes its shards. */
export async function prepareProject(folder: string): Promise<void> {
  writeProject(folder);
  await succeed(
    folder,
    'prepare',
    'natural.jsonl',
    '--out',
    'natural',
    '--train-tokenizer',
    '300',
    '--held-out',
    '0.1',
  );
  const options = ['--out', 'synthetic', '--tokenizer', 'natural/tokenizer', '--held-out', '0.1'];
  await succeed(folder, 'prepare', 'synthetic.jsonl', ...options);
}

/** Writes the project, makes its shards and pretrains `runs/base/model`. */
export async function pretrainProject(folder: string): Promise<void> {
  await prepareProject(folder);
  await succeed(folder, 'pretrain', '--recipe', 'pretrain.yaml');
}
