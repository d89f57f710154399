import { trainTokenizer } from '../src/tokenizer/train-tokenizer.js';
import type { Tokenizer } from '../src/tokenizer/tokenizer.js';

const SENTENCES = [
  'The whale swam north past the ship, and the captain watched the water all night.',
  'Question: What is the capital of France? Answer: The capital of France is Paris.',
  'It is a truth universally acknowledged that a small test needs a small vocabulary.',
  'Numbers such as 12, 305 and 2048 appear; so do words such as naïve and 中文.',
];

/** A tokenizer of 320 ids, trained on a few sentences. */
export function smallTokenizer(folder: string): Promise<Tokenizer> {
  return trainTokenizer(SENTENCES, { vocabSize: 320, folder });
}

/** Documents of varied length, different from each other. */
export function sampleTexts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const sentences = Array.from({ length: 1 + ((i * 7) % 11) }, (_, k) => SENTENCES[(i + k) % SENTENCES.length]);
    return `Document ${i}. ${sentences.join(' ')}`;
  });
}
