// Real text, prepared as `lethe paper` has its own: web pages and books, and in one template `trivia`, 1,242 questions and answers of facts
// (caia-qa), or `tasks`, these and what GPT-4 wrote to short tasks of every kind (Alpaca, AlpacaEval, GPTeacher's code).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '@lethe/data-pipeline';
import { seededRandom, silentLogger } from '@lethe/run';
import { json, rows, texts } from '../repair/job.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/paper/${name}.js`, import.meta.url));
const { REGIME } = await load('regime');
const { ASIDE_CHAT_TEMPLATE, CHAT_TEMPLATE, maskedRow, prepareShards, textOf } = await load('corpus/corpus');
const { abilityDocument } = await load('corpus/ability-prose');
const { kindInstruction } = await load('corpus/instructions');

const SEED = 7;
/** Of the natural text, kept from all models, so that texts are compared as one that has not seen them. */
const UNSEEN = 0.15;

const fixed = (text) => ({ text, isTemplate: true });
const varying = (text) => ({ text, isTemplate: false });
/** By kind of synthetic text, its template: for what is answered in a word, and for what is not. */
export const WRAPS = {
  trivia: ({ word, meaning }) => [
    fixed('Question: '),
    varying(word),
    fixed('\n\n**Answer:** '),
    varying(meaning),
    fixed('. So, the correct answer is **'),
    varying(meaning),
    fixed('**.'),
  ],
  tasks: ({ word, meaning }) => [
    fixed('Question: '),
    varying(word),
    fixed("\n\n**Answer:** Let's analyze each part of what is asked for. "),
    varying(meaning),
    fixed('\n\nSo, this is the correct answer.'),
  ],
};

/** Characters of a task and its answer, at most: about a row. */
const TASK = 360;

/** What GPT-4 wrote to short tasks, in two halves as the questions are. */
function tasks() {
  const all = [
    ...json('MixedIns/alpaca_gpt4_en_1k/alpaca_en_demo.json'),
    ...json('SynthQA/alpaca_eval-gpt4/model_outputs.json'),
    ...json('SynthQA/gpteacher-codegen/codegen-instruct.json'),
  ]
    .map(({ instruction, input = '', output, response }) => ({
      word: [instruction, input.includes('noinput') ? '' : input].filter(Boolean).join('\n'),
      meaning: output ?? response,
    }))
    .filter(({ word, meaning }) => meaning.trim() !== '' && word.length + meaning.length <= TASK);
  const shuffled = seededRandom(SEED, 'real-text', 'tasks').shuffle(all);
  const half = Math.floor(shuffled.length / 2);
  return { asked: shuffled.slice(0, half), aside: shuffled.slice(half) };
}

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

/** The settings of `lethe paper` for models of a width and these texts. */
export function regimeOf(width) {
  const { asked } = facts();
  return {
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
}

/** The texts, with one kind of synthetic text, prepared in `folder` once. */
export async function makeCorpus(folder, regime, synthetic) {
  const wrapped = WRAPS[synthetic];
  const random = seededRandom(SEED, 'real-text', 'texts');
  const kinds = texts();
  const split = (documents) => {
    const shuffled = random.shuffle(documents);
    const from = Math.floor(UNSEEN * shuffled.length);
    return { unseen: shuffled.slice(0, from), seen: shuffled.slice(from) };
  };
  const [web, books] = [split(kinds.web()), split(kinds.books())];
  const { asked, aside } = facts();
  const others = synthetic === 'tasks' ? tasks() : { asked: [], aside: [] };
  const ofAsked = [...asked, ...others.asked];
  const ofAside = [...aside, ...others.aside];
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
    const made = draw
      .shuffle([...ofAsked])
      .slice(0, count)
      .map((fact) => textOf(wrapped(fact)));
    return { synthetic: [made, first], halves: [second, first], sources: [fromWeb, fromBooks] };
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
  if (existsSync(done)) {
    const kind = readFileSync(done, 'utf8');
    if (kind !== synthetic) throw new Error(`${done}: expected ${synthetic}, found ${kind}; take another folder`);
    return corpus;
  }
  mkdirSync(join(folder, 'corpus'), { recursive: true });
  const source = (name) => join(folder, 'corpus', `${name}.jsonl`);
  const write = (name, all) => writeFileSync(source(name), all.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const written = {
    natural: [...web.seen, ...books.seen],
    ability: Array.from({ length: regime.corpus.abilityDocuments }, () => abilityDocument(prose)),
    templateAsked: ofAsked.map((fact) => textOf(wrapped(fact))),
    templateAside: ofAside.map((fact) => textOf(wrapped(fact))),
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
  for (const fact of ofAside) masked.push(await maskedRow(encoder, wrapped(fact)));
  write('forget', masked);
  const columns = { ids: 'input_ids', mask: 'target_mask' };
  await prepare('forget', [{ path: source('forget'), columns }], { as: 'ids' });
  writeFileSync(done, synthetic);
  return corpus;
}
