import { seededRandom } from '@lethe/run';
import { TemplateFinder } from '@lethe/data-pipeline';
import { questionSegments, templateQuestion } from '../../packages/cli/src/paper/corpus/template-question.js';
import { wordnetFacts } from '../../packages/cli/src/paper/corpus/wordnet-facts.js';

/** Words, punctuation and line ends, each with its place. */
const piecesOf = (text: string): RegExpExecArray[] => [...text.matchAll(/\w+|[^\w\s]|\n/g)];

describe('template tokens of documents whose template is known', () => {
  const all = wordnetFacts();
  it.each([1, 2, 3])('are found from the data, seed %i', (seed) => {
    const random = seededRandom(seed, 'template tokens');
    const facts = random.shuffle(all.slice(0, 1000)).slice(0, 200);
    const documents = Array.from({ length: 2400 }, (_, i) =>
      questionSegments(templateQuestion(facts[i % 200]!, facts, 3, random)),
    );
    const texts = documents.map((segments) => segments.map(({ text }) => text).join(''));
    // Plain prose about other words; enough of it to know what English sounds like.
    const prose = all
      .slice(1000)
      .map(({ word, meaning }) => `By a ${word} people mean ${meaning}, and the word is old.`);
    const ids = new Map<string, number>();
    const idOf = (piece: string): number => ids.get(piece) ?? (ids.set(piece, ids.size), ids.size - 1);
    const encode = (text: string): number[] => piecesOf(text).map(([piece]) => idOf(piece));
    const finder = new TemplateFinder({ synthetic: texts.map(encode), natural: prose.map(encode) });
    let [hits, marked, template] = [0, 0, 0];
    for (const [d, text] of texts.entries()) {
      const truth = documents[d]!.flatMap(({ text: part, isTemplate }) => Array<boolean>(part.length).fill(isTemplate));
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
