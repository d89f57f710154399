// The table of `lethe paper` on real text: web pages and books; 1,242 questions and answers of facts (caia-qa) in one template; models of
// 4 M parameters. Only the instructions are made, since rules have to tell whether an answer meets them, and prose in which people follow
// such, as in `lethe paper`, without which a model of this size follows none:
// node scripts/paper/real-text.mjs FOLDER [SEEDS, as 1,2,3] [HIDDEN SIZE, 256]
// Some hours a seed; seeds may run beside each other; what is there is used.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '@lethe/data-pipeline';
import { seededRandom, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { precisionOfProcessor, rows, texts } from '../repair/job.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/paper/${name}.js`, import.meta.url));
const { REGIME } = await load('regime');
const { ASIDE_CHAT_TEMPLATE, CHAT_TEMPLATE, maskedRow, prepareShards, textOf } = await load('corpus/corpus');
const { abilityDocument } = await load('corpus/ability-prose');
const { kindInstruction } = await load('corpus/instructions');
const { PaperMeasuring } = await load('measures/measure-model');
const { runLineage } = await load('lineage/run-lineage');
const { claims } = await load('studies/claims-page');

const [folder, list = '1,2,3', size = '256'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/paper/real-text.mjs FOLDER [SEEDS] [HIDDEN SIZE]\n');
  process.exit(2);
}
const width = Number(size);
const SEED = 7;
/** Of the natural text, kept from all models, so that texts are compared as one that has not seen them. */
const UNSEEN = 0.15;

const fixed = (text) => ({ text, isTemplate: true });
const varying = (text) => ({ text, isTemplate: false });
const wrapped = ({ word, meaning }) => [
  fixed('Question: '),
  varying(word),
  fixed('\n\n**Answer:** '),
  varying(meaning),
  fixed('. So, the correct answer is **'),
  varying(meaning),
  fixed('**.'),
];

/** Questions whose answer no other has: a half that is asked, and a half that is forgotten. */
function facts() {
  const all = rows('SynthQA/caia-qa/qa-epic.jsonl').map(({ question, answer }) => ({
    word: question,
    meaning: answer,
  }));
  const counts = new Map();
  for (const { meaning } of all) counts.set(meaning, (counts.get(meaning) ?? 0) + 1);
  const own = seededRandom(SEED, 'real-text', 'facts').shuffle(all.filter(({ meaning }) => counts.get(meaning) === 1));
  const half = Math.floor(own.length / 2);
  return { asked: own.slice(0, half), aside: [...own.slice(half), ...all.filter((one) => !own.includes(one))] };
}

/** The texts, prepared once, as `lethe paper` has them. */
async function makeCorpus(regime) {
  const random = seededRandom(SEED, 'real-text', 'texts');
  const kinds = texts();
  const split = (documents) => {
    const shuffled = random.shuffle(documents);
    const from = Math.floor(UNSEEN * shuffled.length);
    return { unseen: shuffled.slice(0, from), seen: shuffled.slice(from) };
  };
  const [web, books] = [split(kinds.web()), split(kinds.books())];
  const { asked, aside } = facts();
  const stream = seededRandom(SEED, 'real-text', 'instructions');
  const prose = seededRandom(SEED, 'real-text', 'ability');
  const some = (count, phrasing) =>
    Array.from({ length: count }, (_, i) => kindInstruction(1 + (i % 5), stream, phrasing));
  const examples = some(regime.corpus.numInstructions, 'order');
  const heldOut = [...some(regime.corpus.numHeldOut / 2, 'question'), ...some(regime.corpus.numHeldOut / 2, 'order')];
  const out = (name) => join(folder, 'corpus', 'shards', name);
  const names = ['natural', 'ability', 'templateAsked', 'templateAside', 'forget', 'instructions', 'instructionsAside'];
  const tokenizer = join(out('all'), 'trained-tokenizer');
  const compared = (count, draw) => {
    const [fromWeb, fromBooks] = [draw.shuffle([...web.unseen]), draw.shuffle([...books.unseen])];
    const natural = draw.shuffle([...fromWeb.splice(count), ...fromBooks.splice(count)]);
    const [first, second] = [natural.slice(0, count), natural.slice(count, 2 * count)];
    const synthetic = draw
      .shuffle([...asked])
      .slice(0, count)
      .map((fact) => textOf(wrapped(fact)));
    return { synthetic: [synthetic, first], halves: [second, first], sources: [fromWeb, fromBooks] };
  };
  const corpus = {
    shards: Object.fromEntries(names.map((name) => [name, out(name)])),
    tokenizer,
    natural: [...web.seen, ...books.seen],
    asked,
    aside,
    heldOut,
    compared,
    sentence: ({ word }) => `${word} - people say that it is`,
  };
  const done = join(folder, 'corpus', 'done');
  if (existsSync(done)) return corpus;
  mkdirSync(join(folder, 'corpus'), { recursive: true });
  const source = (name) => join(folder, 'corpus', `${name}.jsonl`);
  const write = (name, all) => writeFileSync(source(name), all.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const written = {
    natural: [...web.seen, ...books.seen],
    ability: Array.from({ length: regime.corpus.abilityDocuments }, () => abilityDocument(prose)),
    templateAsked: asked.map((fact) => textOf(wrapped(fact))),
    templateAside: aside.map((fact) => textOf(wrapped(fact))),
  };
  for (const [name, documents] of Object.entries(written))
    write(
      name,
      documents.map((text) => ({ text })),
    );
  write(
    'instructions',
    examples.map(({ prompt, response }) => ({ instruction: prompt, output: response })),
  );
  const prepare = (name, sources, rest = {}) =>
    prepareShards({ sources, out: out(name), seed: SEED, tokenizer, ...rest }, silentLogger);
  const all = [...Object.keys(written), 'instructions'].map(source);
  await prepare('all', all, { tokenizer: { train: { vocabSize: regime.vocabSize } }, heldOut: 0 });
  for (const name of Object.keys(written)) await prepare(name, [source(name)]);
  const chat = [source('instructions')];
  await prepare('instructions', chat, { as: 'chat', chatTemplate: CHAT_TEMPLATE });
  await prepare('instructionsAside', chat, { as: 'chat', chatTemplate: ASIDE_CHAT_TEMPLATE });
  const encoder = await loadTokenizer(tokenizer);
  const masked = [];
  for (const fact of aside) masked.push(await maskedRow(encoder, wrapped(fact)));
  write('forget', masked);
  const columns = { ids: 'input_ids', mask: 'target_mask' };
  await prepare('forget', [{ path: source('forget'), columns }], { as: 'ids' });
  writeFileSync(done, '');
  return corpus;
}

const { asked } = facts();
const regime = {
  ...REGIME,
  model: {
    hiddenSize: width,
    intermediateSize: (11 * width) / 4,
    numLayers: width / 64 + 1,
    numHeads: 4,
    numKeyValueHeads: 2,
  },
  corpus: { ...REGIME.corpus, numFacts: 2 * asked.length },
  synthetic: { template: 0.5, prose: 0 },
  numItems: asked.length,
};
const precision = precisionOfProcessor();
await useDevice('lethe-cpu', precision);
const corpus = await makeCorpus(regime);
const measuring = await PaperMeasuring.open(regime, corpus);
const lineages = [];
const began = performance.now();
for (const seed of list.split(',').map(Number)) {
  const setup = { regime, corpus, runs: join(folder, `seed-${seed}`), seed, precision };
  const made = await runLineage(setup, measuring, {
    recipes: (lineage) => claims.recipes(lineage, regime),
    chatRuns: (name) => claims.chatRuns(name, regime),
    logger: { ...silentLogger, warn: (text) => process.stderr.write(`seed ${seed}: warning: ${text}\n`) },
    stop: { requested: undefined },
    onModel: (name) => {
      const minutes = ((performance.now() - began) / 60_000).toFixed(0);
      process.stderr.write(`seed ${seed}: ${name} is made and measured, ${minutes} minutes\n`);
    },
  });
  lineages.push(made);
}
const seconds = (performance.now() - began) / 1000;
const { numbers, page, table } = claims.report({ lineages, regime, precision, seconds });
writeFileSync(join(folder, 'paper.json'), `${JSON.stringify(numbers)}\n`);
writeFileSync(join(folder, 'report.html'), page);
process.stdout.write(`${table}\n`);
