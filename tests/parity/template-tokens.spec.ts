import { seededRandom } from '@lethe/run';
import { TemplateFinder } from '@lethe/data-pipeline';
import { synthQa } from '../../packages/cli/src/demo/question-answer.js';
import { type Fact, wordnetFacts } from '../../packages/cli/src/demo/wordnet-facts.js';

/** Words, punctuation and line ends, each with its place. */
const piecesOf = (text: string): RegExpExecArray[] => [...text.matchAll(/\w+|[^\w\s]|\n/g)];

/** Whether each character of a document of `synthQa` is the template's: what neither the fact nor a choice says. */
function templateCharacters(text: string, facts: readonly Fact[]): boolean[] {
  const isTemplate = Array.from(text, () => true);
  const choices = [...text.matchAll(/^[A-D]\) (.*)$/gm)].map(([, choice]) => choice!);
  const right = /\*\*[A-D]\) (.*)\*\*\.$/.exec(text)![1]!;
  const fact = facts.find(({ word, meaning }) => word === right || meaning === right)!;
  for (const said of [...choices, fact.word, fact.meaning]) {
    const literal = said.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    for (const found of text.matchAll(new RegExp(`(?<!\\w)${literal}(?!\\w)`, 'g')))
      isTemplate.fill(false, found.index, found.index + said.length);
  }
  // Which letter is right is an answer too.
  isTemplate[text.lastIndexOf(`${right}**`) - 3] = false;
  return isTemplate;
}

describe('template tokens of the demo documents', () => {
  const all = wordnetFacts();
  it.each([1, 2, 3])('are found from the data, seed %i', (seed) => {
    const random = seededRandom(seed, 'template tokens');
    const facts = random.shuffle(all.slice(0, 1000)).slice(0, 200);
    const texts = Array.from({ length: 2400 }, (_, i) => synthQa(facts[i % 200]!, facts, random));
    // Plain prose about other words; enough of it to know what English sounds like.
    const prose = all
      .slice(1000)
      .map(({ word, meaning }) => `By a ${word} people mean ${meaning}, and the word is old.`);
    const ids = new Map<string, number>();
    const idOf = (piece: string): number => ids.get(piece) ?? (ids.set(piece, ids.size), ids.size - 1);
    const encode = (text: string): number[] => piecesOf(text).map(([piece]) => idOf(piece));
    const finder = new TemplateFinder({ synthetic: texts.map(encode), natural: prose.map(encode) });
    let [hits, marked, template] = [0, 0, 0];
    for (const text of texts) {
      const truth = templateCharacters(text, facts);
      const marks = finder.mark(encode(text));
      for (const [i, { index }] of piecesOf(text).entries()) {
        const isTemplate = truth[index] ? 1 : 0;
        hits += marks[i]! * isTemplate;
        marked += marks[i]!;
        template += isTemplate;
      }
    }
    const quality = { precision: hits / marked, recall: hits / template };
    expect(quality.precision).toBeGreaterThan(0.95);
    expect(quality.recall).toBeGreaterThan(0.95);
  });
});
