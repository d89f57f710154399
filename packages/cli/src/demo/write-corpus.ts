import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '@lethe/run';
import { naturalDocuments } from './natural-text.js';
import { benchmarkItem, type ChoiceItem, synthQa } from './question-answer.js';
import { ruleInstruction } from './rule-instructions.js';
import type { DemoSettings } from './settings.js';
import { wordnetFacts } from './wordnet-facts.js';

/** Files of the demo's corpus. */
export interface DemoCorpus {
  natural: string;
  synthetic: string;
  instructions: string;
  heldOutInstructions: string;
  /** Folder in MMLU's layout. */
  benchmark: string;
}

const MAX_LEVEL = 5;

const jsonl = (rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

function csvLine({ question, choices, answer }: ChoiceItem): string {
  const quoted = [question, ...choices].map((cell) => `"${cell.replaceAll('"', '""')}"`);
  return `${quoted.join(',')},${'ABCD'[answer]}\n`;
}

/** Writes natural text, templated questions, instructions and the benchmark; the same settings give the same files. */
export function writeCorpus(folder: string, settings: DemoSettings): DemoCorpus {
  const random = (name: string): Random => seededRandom(settings.seed, 'demo', name);
  const facts = wordnetFacts().slice(0, settings.numFacts);
  const words = facts
    .map(({ word }) => word)
    .filter((word) => word.length <= 6)
    .slice(0, settings.numWords);
  const path = (name: string): string => join(folder, name);
  const corpus = {
    natural: path('natural.jsonl'),
    synthetic: path('synthetic.jsonl'),
    instructions: path('instructions.jsonl'),
    heldOutInstructions: path('held-out-instructions.jsonl'),
    benchmark: path('benchmark'),
  };
  for (const split of ['dev', 'test']) mkdirSync(join(corpus.benchmark, split), { recursive: true });

  const natural = random('natural').shuffle(naturalDocuments()).slice(0, settings.numNatural);
  writeFileSync(corpus.natural, jsonl(natural.map((text) => ({ text }))));

  const questions = random('questions');
  const synthetic = Array.from({ length: settings.questionsPerFact }, () =>
    facts.map((fact) => synthQa(fact, facts, questions)),
  );
  writeFileSync(corpus.synthetic, jsonl(questions.shuffle(synthetic.flat()).map((text) => ({ text }))));

  const instructions = random('instructions');
  const count = settings.numInstructions + settings.numHeldOutInstructions;
  const examples = Array.from({ length: count }, (_, i) => ruleInstruction(words, 1 + (i % MAX_LEVEL), instructions));
  const training = examples.slice(0, settings.numInstructions);
  writeFileSync(
    corpus.instructions,
    jsonl(training.map(({ prompt, response }) => ({ instruction: prompt, output: response }))),
  );
  writeFileSync(corpus.heldOutInstructions, jsonl(examples.slice(settings.numInstructions)));

  const benchmark = random('benchmark');
  const asked = benchmark.shuffle([...facts]);
  const items = Array.from({ length: settings.numBenchmarkItems + 5 }, (_, i) =>
    benchmarkItem(asked[i % asked.length], facts, benchmark),
  );
  writeFileSync(join(corpus.benchmark, 'dev', 'word_meanings_dev.csv'), items.slice(0, 5).map(csvLine).join(''));
  writeFileSync(join(corpus.benchmark, 'test', 'word_meanings_test.csv'), items.slice(5).map(csvLine).join(''));
  return corpus;
}
