// How often `lethe repair` advises a repair, over random halves and samples of texts: node scripts/repair/verdict-rates.mjs FOLDER [SEEDS]
// [CASE]. A line for each case whose name holds CASE: verdicts by count, and the range of what decided. A case has one model; seeds draw
// the documents that the pattern is looked for in and those that are measured.
import { join } from 'node:path';
import { loadTokenizer, sampleDocuments } from '@lethe/data-pipeline';
import { loadLlama, scoreSequences } from '@lethe/model';
import { seededRandom } from '@lethe/run';
import { applyDeviceSettings } from '@lethe/tensor';
import { precisionOfProcessor, prepareTexts, trainModels } from './job.mjs';

const dist = new URL('../../packages/cli/dist/repair/', import.meta.url);
const load = (name) => import(new URL(name, dist));
const { describePattern, findPattern } = await load('pattern.js');
const { attainableP, markDocuments, measuresOf } = await load('measure.js');
const { verdictBefore } = await load('verdict-before.js');

const [folder = 'runs/repair-rates', numSeeds = '100', only = ''] = process.argv.slice(2);
const corpus = await prepareTexts(folder);
const models = await trainModels(folder, { synthetic: 'templated', seed: 1, corpus });
const { synth: bare } = await trainModels(folder, { synthetic: 'qa', seed: 1, corpus });
await applyDeviceSettings({ device: 'lethe-cpu', precision: precisionOfProcessor() });
const tokenizer = await loadTokenizer(corpus.tokenizer);
const documentsOf = async (name) =>
  (await sampleDocuments([join(corpus.shards(name), 'train'), join(corpus.shards(name), 'heldout')], 1e9))
    .map((ids) => Int32Array.from(ids).slice(0, 256))
    .filter((ids) => ids.length > 1);
const texts = {};
for (const name of ['web', 'books', 'qa', 'templated']) texts[name] = await documentsOf(name);

/** Documents that are measured, of each kind, and those that a pattern is looked for in. */
const [MEASURED, LOOKED] = [100, 600];
const split = (documents) => ({
  report: documents.slice(0, MEASURED),
  train: documents.slice(MEASURED, MEASURED + LOOKED),
});
const halves = (name) => (random) => {
  const shuffled = random.shuffle([...texts[name]]);
  const half = Math.floor(shuffled.length / 2);
  return [split(shuffled.slice(0, half)), split(shuffled.slice(half))];
};
const pair = (one, other) => (random) => [
  split(random.shuffle([...texts[one]])),
  split(random.shuffle([...texts[other]])),
];

const cases = [
  ['books beside web text', models.base, pair('books', 'web'), 'not-advised'],
  ['web text beside books', models.base, pair('web', 'books'), 'not-advised'],
  ['templated questions, a model that never saw them', models.base, pair('templated', 'web'), 'not-advised'],
  ['templated questions, a model that learned them', models.synth, pair('templated', 'web'), 'advised'],
  ['plain questions, a model that learned them', bare, pair('qa', 'web'), 'advised'],
  ['halves of web text, the model of both', models.synth, halves('web'), 'not-advised'],
  ['halves of books', models.synth, halves('books'), 'not-advised'],
];

/** Log-probabilities of all that a case may measure are the same for every seed, so each document is scored once. */
const known = new Map();
function measure(folder, documents) {
  const scored = known.get(folder) ?? new Map();
  known.set(folder, scored);
  const fresh = documents.filter((ids) => !scored.has(ids));
  if (fresh.length > 0) {
    const { model } = loadLlama(folder, { trainable: false });
    scoreSequences(model, fresh).forEach((logs, i) =>
      scored.set(
        fresh[i],
        Float64Array.from(logs, (log) => log ?? 0),
      ),
    );
    model.dispose();
  }
  return documents.map((ids) => scored.get(ids));
}

for (const [name, model, draw, expected] of cases.filter(([title]) => title.includes(only))) {
  const counts = { advised: 0, 'not-advised': 0, 'cannot-tell': 0 };
  const [shares, learned] = [[], []];
  for (let seed = 1; seed <= Number(numSeeds); seed++) {
    const [synthetic, natural] = draw(seededRandom(seed, 'verdict rates', name));
    const found = findPattern({ synthetic: synthetic.train, natural: natural.train }, tokenizer);
    const marked = markDocuments(found.finder, synthetic.report);
    const measured = { synthetic: marked, natural: natural.report };
    const { pattern } = await describePattern(found, measured, tokenizer);
    const own = measuresOf(measure(model, [...synthetic.report, ...natural.report]), measured);
    const { verdict, evidence } = verdictBefore({ pattern, model: own, attainable: attainableP(marked) });
    counts[verdict]++;
    shares.push(pattern.share.value);
    if (evidence[1]) learned.push(evidence[1].found.value);
  }
  const range = (values) =>
    values.length === 0 ? 'none' : `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`;
  const told = Object.entries(counts)
    .map(([verdict, count]) => `${verdict} ${count}`)
    .join(', ');
  process.stdout.write(`${name}: ${told} (expected ${expected}); words ${range(shares)}, learned ${range(learned)}\n`);
}
