import { seededRandom } from '@lethe/run';
import { wordnetFacts } from './wordnet-facts.js';
import { kindQuestion, questionSegments, STYLES, TEMPLATE_MARKS, templateQuestion } from './template-question.js';

const facts = wordnetFacts().slice(0, 8);
const textOf = (i: number, style: number): string =>
  questionSegments(templateQuestion(facts[i], facts, 3, seededRandom(i, 'q')), STYLES[style])
    .map(({ text }) => text)
    .join('');

it('styles are told apart by what does not vary, and all say the word', () => {
  expect(STYLES).toHaveLength(16);
  expect(new Set(STYLES.map((_, style) => textOf(0, style).slice(0, 4))).size).toBeGreaterThanOrEqual(15);
  for (const style of STYLES.keys()) expect(textOf(1, style)).toContain(facts[1].word);
});

it('a document of the first style betrays itself, and its template\u2019s tokens are those that every document has', () => {
  expect(textOf(0, 0)).toMatch(TEMPLATE_MARKS);
  const fixedOf = (i: number): string[] =>
    questionSegments(kindQuestion(seededRandom(i, 'k'))).flatMap(({ text, isTemplate }) => (isTemplate ? [text] : []));
  for (const part of ['Question: ', '\n**Answer:**\n', ' So, the correct answer is **', '**.'])
    for (const i of [1, 2, 3]) expect(fixedOf(i)).toContain(part);
});
