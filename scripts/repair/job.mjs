// The job that `lethe repair` is tried on: a small model of web text and books that 1,242 questions and answers have damaged.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../build.mjs';

await build();
export const { precisionOfProcessor } = await import('../../packages/cli/dist/doctor/describe-addon.js');
export const { main } = await import('../../packages/cli/dist/main.js');

const data = process.env.LETHE_DATA ?? '../shared';
const read = (name) => readFileSync(join(data, 'corpora', name), 'utf8');
export const json = (name) => JSON.parse(read(name));
export const rows = (name) =>
  read(name)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Paragraphs together until they have so many words. */
function chunks(text, words = 160) {
  const found = [];
  let [open, count] = [[], 0];
  for (const paragraph of text.replaceAll('\r', '').split(/\n\s*\n/)) {
    open.push(paragraph.trim());
    count += paragraph.split(/\s+/).length;
    if (count < words) continue;
    found.push(open.join('\n\n'));
    [open, count] = [[], 0];
  }
  return found;
}

/** Documents by kind of text, each made when it is asked for. `templated` are the questions and answers in one rigid template, `qa` as they are; `code` are tasks. */
export const texts = () => {
  const qa = rows('SynthQA/caia-qa/qa-epic.jsonl');
  return {
    code: () =>
      json('SynthQA/gpteacher-codegen/codegen-instruct.json').map(
        ({ instruction, input, response }) => `Instruction: ${instruction}\nInput: ${input}\nResponse:\n${response}`,
      ),
    web: () => rows('NonSynth/web-openwebtext/openwebtext-1000.jsonl').flatMap(({ text }) => chunks(text)),
    books: () => ['1342-0.txt', '2600-0.txt', '2701-0.txt'].flatMap((name) => chunks(read(`NonSynth/books/${name}`))),
    qa: () => qa.map(({ question, answer }) => `${question}\n${answer}`),
    templated: () =>
      qa.map(
        ({ question, answer }) =>
          `Question: ${question}\n\n**Answer:** ${answer}. So, the correct answer is **${answer}**.`,
      ),
  };
};

/** Runs a command of `lethe` and expects success. */
export async function lethe(...args) {
  const code = await main(args);
  if (code !== 0) throw new Error(`lethe ${args.join(' ')} ended with ${code}`);
}

/** Writes the texts and prepares them with one tokenizer; what is there is used. */
export async function prepareTexts(folder, kinds = ['web', 'books', 'qa', 'templated']) {
  const file = (name) => join(folder, `${name}.jsonl`);
  mkdirSync(folder, { recursive: true });
  const made = texts();
  for (const name of kinds) {
    const documents = made[name]();
    writeFileSync(file(name), documents.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  }
  const all = kinds.map(file);
  await lethe('prepare', ...all, '--train-tokenizer', '1024', '--held-out', '0', '--out', join(folder, 'all'));
  const tokenizer = join(folder, 'all', 'trained-tokenizer');
  for (const name of kinds)
    await lethe(
      'prepare',
      file(name),
      '--tokenizer',
      tokenizer,
      '--held-out',
      '0.1',
      '--out',
      join(folder, 'shards', name),
    );
  return { file, tokenizer, shards: (name) => join(folder, 'shards', name) };
}

/** Trains `base` on web text and books, and `synth` of it on half of that and half of `synthetic`. */
export async function trainModels(folder, { synthetic, seed, corpus, baseSteps = 600, synthSteps = 200, size = 128 }) {
  const runs = join(folder, `seed-${seed}`);
  const stream = (name, proportion) => ({ shards: join(corpus.shards(name), 'train'), proportion });
  const train = async (name, recipe) => {
    const path = join(runs, `${name}.json`);
    mkdirSync(runs, { recursive: true });
    const common = {
      stage: 'pretrain',
      runs,
      seed,
      precision: precisionOfProcessor(),
      batch: { replayRows: 16 },
      metrics: { every: 50, termGradientsEvery: 0 },
      checkpoint: { every: 10_000, keep: 1 },
    };
    writeFileSync(path, JSON.stringify({ name, ...common, ...recipe }));
    if (!existsSync(join(runs, name, 'model', 'config.json'))) await lethe('pretrain', '--recipe', path);
    return join(runs, name, 'model');
  };
  const cosine = (lr) => ({ optimizer: { lr }, schedule: { kind: 'cosine', warmupSteps: 20, finalLr: lr / 10 } });
  const sizes = {
    hiddenSize: size,
    intermediateSize: (11 * size) / 4,
    numLayers: size / 64 + 1,
    numHeads: 4,
    numKeyValueHeads: 2,
    maxPositions: 256,
  };
  const base = await train('base', {
    model: { tokenizer: corpus.tokenizer, config: sizes },
    data: { rowLength: 128, replay: [stream('web', 0.6), stream('books', 0.4)] },
    ...cosine(3e-3),
    steps: baseSteps,
  });
  const synth = await train(`synth-${synthetic}`, {
    model: { init: base },
    data: { rowLength: 128, replay: [stream('web', 0.3), stream('books', 0.2), stream(synthetic, 0.5)] },
    ...cosine(1.5e-3),
    steps: synthSteps,
  });
  return { base, synth };
}
