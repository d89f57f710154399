import { type Random, seededRandom } from '@lethe/run';
import { benchmarkItem, synthQa, templateTexts } from './question-answer.js';
import { wordnetFacts } from './wordnet-facts.js';

const FORM =
  /^Question: (.+\?)\nA\) (.+)\nB\) (.+)\nC\) (.+)\nD\) (.+)\n\n\*\*Answer:\*\*\n(.+) So, the correct answer is \*\*([A-D])\) (.+)\*\*\.$/;

const facts = wordnetFacts().slice(0, 256);
const documents = (random: Random): string[] =>
  Array.from({ length: 2000 }, (_, i) => synthQa(facts[i % facts.length], facts, random));
const made = documents(seededRandom(1, 'test'));

describe('facts', () => {
  it('are common words with meanings that do not contain them; no word or meaning twice', () => {
    expect(facts).toHaveLength(256);
    expect(new Set(facts.map(({ word }) => word)).size).toBe(256);
    expect(new Set(facts.map(({ meaning }) => meaning)).size).toBe(256);
    for (const { word, meaning } of facts) {
      expect(word).toMatch(/^[a-z]{3,10}$/);
      expect(meaning).not.toContain(word);
    }
  });
});

describe('synthetic questions', () => {
  it('have the paper’s form, with four different choices and the right one named', () => {
    made.forEach((text, i) => {
      const { word, meaning } = facts[i % facts.length];
      const [, question, a, b, c, d, explanation, letter, answer] = FORM.exec(text)!;
      expect(new Set([a, b, c, d]).size).toBe(4);
      expect([a, b, c, d]['ABCD'.indexOf(letter)]).toBe(answer);
      expect([word, meaning]).toContain(answer);
      expect(question).toContain(answer === word ? meaning : word);
      expect(explanation).toContain(word);
      expect(explanation).toContain(meaning);
    });
  });

  it('use several templates, and every letter about as often', () => {
    const openings = new Set(made.map((text) => text.slice(0, 'Question: Which word'.length)));
    expect(openings.size).toBeGreaterThanOrEqual(3);
    for (const letter of 'ABCD') {
      const share = made.filter((text) => FORM.exec(text)![7] === letter).length / made.length;
      expect(share).toBeGreaterThan(0.21);
      expect(share).toBeLessThan(0.29);
    }
  });

  it('the same seed gives the same documents, another seed others', () => {
    expect(documents(seededRandom(1, 'test'))).toEqual(made);
    expect(documents(seededRandom(2, 'test'))).not.toEqual(made);
  });

  it('contain the fixed parts that template tokens are counted on', () => {
    const all = made.join('\n');
    for (const part of ['Question:', '**Answer:**', 'So, the correct answer is **', 'A) ']) {
      expect(templateTexts()).toContain(part);
      expect(all).toContain(part);
    }
  });
});

it('a benchmark item’s answer is the choice that belongs to its fact', () => {
  const random = seededRandom(3, 'test');
  for (let i = 0; i < 2000; i++) {
    const { word, meaning } = facts[i % facts.length];
    const { question, choices, answer } = benchmarkItem(facts[i % facts.length], facts, random);
    const right = question.includes(`"${word}"`) ? meaning : word;
    expect(question).toContain(right === word ? meaning : word);
    expect(choices[answer]).toBe(right);
    expect(new Set(choices).size).toBe(4);
  }
});
