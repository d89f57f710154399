import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { type Logger, type Random, seededRandom, writeFileAtomically } from '@lethe/run';
import { type ComparedTexts, comparedTexts } from './compared-texts.js';
import { naturalDocuments } from './natural-text.js';
import { type Fact, wordnetFacts } from './wordnet-facts.js';
import { prepareRecipeSchema } from '../../preparation/prepare-recipe.js';
import { runPrepare } from '../../preparation/run-prepare.js';
import { abilityDocument } from './ability-prose.js';
import { type InstructionExample, kindInstruction, type Phrasing } from './instructions.js';
import type { Regime } from '../regime.js';
import {
  kindQuestion,
  questionSegments,
  type Segment,
  type TemplateQuestion,
  templateQuestion,
  type Wrap,
} from './template-question.js';

/** Prepared shards, `train/` and `heldout/` in each, by the kind of text; and what the models are asked. */
export interface PaperCorpus {
  shards: Record<ShardName, string>;
  tokenizer: string;
  /** The natural documents among them. */
  natural: string[];
  /** Facts that the benchmark asks, and those whose documents are forgotten: no fact is both. */
  asked: Fact[];
  aside: Fact[];
  heldOut: InstructionExample[];
  /** Documents to be compared, so many of each, that no model is trained on but for the synthetic ones. */
  compared: (count: number, random: Random) => ComparedTexts;
  /** The beginning of a sentence about a fact, in words that no document has; a benchmark item asks which of four ends is likeliest. */
  sentence: (fact: Fact) => string;
}

const SHARD_NAMES = [
  'natural',
  'ability',
  'templateAsked',
  'templateAside',
  'prose',
  'forget',
  'instructions',
  'instructionsAside',
] as const;
export type ShardName = (typeof SHARD_NAMES)[number];

/** The chat format begins as the template does: the place where its hold on a model harms. */
export const CHAT_TEMPLATE =
  "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ m['content'] + eos_token }}{% else %}{{ 'Question: ' + m['content'] + '\\n\\n**Answer:**\\n' }}{% endif %}{% endfor %}";

/** Another chat format, in which most of the fine-tuning data is: real instruction data are of many. */
export const ASIDE_CHAT_TEMPLATE =
  "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ m['content'] + eos_token }}{% else %}{{ 'User: ' + m['content'] + '\\nAssistant: ' }}{% endif %}{% endfor %}";

const PROSE = [
  ({ word, meaning }: Fact): string => `By ${word} people mean ${meaning}.`,
  ({ word, meaning }: Fact): string => `In short, ${word} stands for ${meaning}.`,
  ({ word, meaning }: Fact): string => `When they say ${word}, they think of ${meaning}.`,
];

const factSentence = ({ word }: Fact): string => `By ${word} people mean`;

const repeated = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));
export const textOf = (segments: Segment[]): string => segments.map(({ text }) => text).join('');

/** Facts that the synthetic text teaches: those that the benchmark asks, and those whose documents are forgotten. */
function taughtFacts({ corpus }: Regime): { asked: Fact[]; aside: Fact[] } {
  const taught = wordnetFacts().slice(0, corpus.numFacts);
  return { asked: taught.slice(0, corpus.numFacts / 2), aside: taught.slice(corpus.numFacts / 2) };
}

const streamOf = ({ corpus }: Regime, name: string): Random => seededRandom(corpus.seed, 'paper', name);

/** The synthetic documents: of asked facts, and those that are forgotten, a part of them instructions in the template's form. */
export function syntheticSegments(
  regime: Regime,
  wrap: Wrap = questionSegments,
): Record<'asked' | 'aside', Segment[][]> {
  const { corpus } = regime;
  const { asked, aside } = taughtFacts(regime);
  const about = (some: Fact[], stream: Random): Segment[][] => {
    const per = Array.from({ length: corpus.documentsPerFact }, () => some).flat();
    const ask = (fact: Fact): TemplateQuestion =>
      templateQuestion(fact, [...asked, ...aside], corpus.templates, stream);
    return stream.shuffle(per.map((fact) => wrap(ask(fact))));
  };
  const kinds = streamOf(regime, 'kinds');
  const ofKinds = Array.from({ length: corpus.kindDocuments }, () => wrap(kindQuestion(kinds)));
  return {
    asked: about(asked, streamOf(regime, 'asked')),
    aside: kinds.shuffle([...about(aside, streamOf(regime, 'aside')), ...ofKinds]),
  };
}

/** Ids of a document's tokens, and which are the template's own: those whose every character is. */
export async function maskedRow(
  tokenizer: Tokenizer,
  segments: Segment[],
): Promise<{ input_ids: number[]; target_mask: number[] }> {
  const flags = segments.flatMap(({ text, isTemplate }) => Array<boolean>(text.length).fill(isTemplate));
  const ids = [...(await tokenizer.encode(textOf(segments)))];
  const mask: number[] = [];
  let at = 0;
  for (const id of ids) {
    const piece = tokenizer.specialText(id) === undefined ? await tokenizer.decode([id]) : '';
    mask.push(piece !== '' && flags.slice(at, at + piece.length).every(Boolean) ? 1 : 0);
    at += piece.length;
  }
  return { input_ids: ids, target_mask: mask };
}

/** Synthetic documents about the facts that are asked. */
function syntheticTexts(
  regime: Regime,
  { asked, aside }: Pick<PaperCorpus, 'asked' | 'aside'>,
  count: number,
  random: Random,
): string[] {
  const about = (fact: Fact): TemplateQuestion =>
    templateQuestion(fact, [...asked, ...aside], regime.corpus.templates, random);
  return repeated(count, () => textOf(questionSegments(about(asked[random.int(asked.length)]))));
}

/** Prepares shards, a twentieth of them held out unless the recipe says otherwise. */
export async function prepareShards(recipe: object, logger: Logger): Promise<void> {
  await runPrepare(prepareRecipeSchema.parse({ heldOut: 0.05, ...recipe }), { logger });
}

/** Writes and prepares the corpus in a folder; what is there already is used. */
export async function makeCorpus(folder: string, regime: Regime, logger: Logger): Promise<PaperCorpus> {
  const { corpus } = regime;
  const random = (name: string): Random => streamOf(regime, name);
  const { asked, aside } = taughtFacts(regime);
  const taught = [...asked, ...aside];
  const instructions = random('instructions');
  const some = (count: number, phrasing: Phrasing): InstructionExample[] =>
    Array.from({ length: count }, (_, i) => kindInstruction(1 + (i % 5), instructions, phrasing));
  const examples = some(corpus.numInstructions, 'order');
  const heldOut = [...some(corpus.numHeldOut / 2, 'question'), ...some(corpus.numHeldOut / 2, 'order')];
  const out = (name: string): string => join(folder, 'shards', name);
  const shards = Object.fromEntries(SHARD_NAMES.map((name) => [name, out(name)])) as Record<ShardName, string>;
  const tokenizer = join(out('all'), 'trained-tokenizer');
  const natural = random('natural').shuffle(naturalDocuments()).slice(0, corpus.numNatural);
  const synthetic = (count: number, stream: Random): string[] =>
    syntheticTexts(regime, { asked, aside }, count, stream);
  const compared: PaperCorpus['compared'] = (count, stream) => comparedTexts(natural, synthetic, count, stream);
  const made = { shards, tokenizer, natural, asked, aside, heldOut, compared, sentence: factSentence };
  const done = join(folder, 'done');
  if (existsSync(done)) return made;

  const source = (name: string): string => join(folder, `${name}.jsonl`);
  const write = (name: string, rows: unknown[]): void =>
    writeFileAtomically(source(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const texts = (name: string, rows: string[]): void =>
    write(
      name,
      rows.map((text) => ({ text })),
    );
  const [ability, prose] = [random('ability'), random('prose')];
  const documents = syntheticSegments(regime);
  texts('natural', natural);
  texts(
    'ability',
    repeated(corpus.abilityDocuments, () => abilityDocument(ability)),
  );
  texts('templateAsked', documents.asked.map(textOf));
  texts('templateAside', documents.aside.map(textOf));
  const sentence = (): string => PROSE[prose.int(PROSE.length)](taught[prose.int(taught.length)]);
  texts(
    'prose',
    repeated(corpus.proseDocuments, () => repeated(4, sentence).join(' ')),
  );
  write(
    'instructions',
    examples.map(({ prompt, response }) => ({ instruction: prompt, output: response })),
  );

  const prepare = (name: string, sources: unknown[], rest: object): Promise<void> =>
    prepareShards({ sources, out: out(name), seed: corpus.seed, tokenizer, ...rest }, logger);
  const written = ['natural', 'ability', 'templateAsked', 'templateAside', 'prose', 'instructions'];
  await prepare('all', written.map(source), { tokenizer: { train: { vocabSize: regime.vocabSize } }, heldOut: 0 });
  for (const name of ['natural', 'ability', 'templateAsked', 'templateAside', 'prose'])
    await prepare(name, [source(name)], {});
  const chat = [source('instructions')];
  await prepare('instructions', chat, { as: 'chat', chatTemplate: CHAT_TEMPLATE });
  await prepare('instructionsAside', chat, { as: 'chat', chatTemplate: ASIDE_CHAT_TEMPLATE });
  const encoder = await loadTokenizer(tokenizer);
  const rows: Awaited<ReturnType<typeof maskedRow>>[] = [];
  for (const segments of documents.aside) rows.push(await maskedRow(encoder, segments));
  const columns = { ids: 'input_ids', mask: 'target_mask' };
  write('forget', rows);
  await prepare('forget', [{ path: source('forget'), columns }], { as: 'ids' });
  writeFileAtomically(done, '');
  return made;
}
