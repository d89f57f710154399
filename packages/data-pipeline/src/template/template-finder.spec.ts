import { type Random, seededRandom } from '@lethe/run';
import { TEMPLATE_DEFAULTS, TemplateFinder } from './template-finder.js';

const [EOS, VOCAB, FRAME_WORDS] = [1, 2000, 60];

/** Words as ids above 10, the frequent ones first (Zipf); those of frames lie above VOCAB. */
const word = (random: Random): number => 10 + Math.floor(VOCAB ** random.next()) - 1;
const phrase = (random: Random, least: number, most: number): number[] =>
  Array.from({ length: least + random.int(most - least + 1) }, () => word(random));
const frameOf = (random: Random, length: number): number[] =>
  Array.from({ length }, () => 10 + VOCAB + random.int(FRAME_WORDS));

interface Labelled {
  ids: number[];
  /** 1 where the token is of the template. */
  truth: number[];
}

/** Documents `frame, fact, frame, fact, ...` of several templates, each fact in twelve, and natural text. */
function corpora(seed: number, numTemplates: number): { documents: Labelled[]; natural: number[][] } {
  const random = seededRandom(seed, 'template finder');
  const facts = Array.from({ length: 200 }, () => [phrase(random, 1, 2), phrase(random, 4, 9), phrase(random, 3, 6)]);
  const templates = Array.from({ length: numTemplates }, () => [5, 3, 6, 4].map((length) => frameOf(random, length)));
  const documents = Array.from({ length: 2400 }, (_, i) => {
    const [template, fact] = [templates[random.int(numTemplates)]!, facts[i % 200]!];
    const [ids, truth]: number[][] = [[], []];
    for (const [k, frame] of template.entries()) {
      ids!.push(...frame, ...(fact[k] ?? []));
      truth!.push(...frame.map(() => 1), ...(fact[k] ?? []).map(() => 0));
    }
    return { ids: [...ids!, EOS], truth: [...truth!, 0] };
  });
  return { documents, natural: Array.from({ length: 1000 }, () => [...phrase(random, 80, 120), EOS]) };
}

const finderOf = ({ documents, natural }: ReturnType<typeof corpora>, settings = TEMPLATE_DEFAULTS): TemplateFinder =>
  new TemplateFinder({ synthetic: documents.map(({ ids }) => ids), natural, specialIds: [EOS] }, settings);

function quality(finder: TemplateFinder, documents: Labelled[]): { precision: number; recall: number } {
  let [hits, marked, template] = [0, 0, 0];
  for (const { ids, truth } of documents) {
    for (const [i, mark] of finder.mark(ids).entries()) {
      hits += mark * truth[i]!;
      marked += mark;
      template += truth[i]!;
    }
  }
  return { precision: hits / marked, recall: hits / template };
}

describe('TemplateFinder', () => {
  it.each([1, 4, 16].flatMap((templates) => [1, 2, 3].map((seed) => [templates, seed] as const)))(
    'finds the words of %i templates, seed %i, and not the facts that twelve documents share',
    (templates, seed) => {
      const made = corpora(seed, templates);
      const { precision, recall } = quality(finderOf(made), made.documents);
      expect(precision).toBeGreaterThan(0.95);
      expect(recall).toBeGreaterThan(0.93);
    },
  );

  it('marks documents that it was not fitted on', () => {
    const made = corpora(4, 4);
    const finder = finderOf({ ...made, documents: made.documents.slice(0, 1200) });
    const { precision, recall } = quality(finder, made.documents.slice(1200));
    expect(precision).toBeGreaterThan(0.95);
    expect(recall).toBeGreaterThan(0.93);
  });

  it('marks nothing where natural text is the same kind of text', () => {
    const { natural } = corpora(5, 1);
    const finder = new TemplateFinder({ synthetic: natural.slice(0, 500), natural: natural.slice(500) });
    expect(natural.slice(0, 500).reduce((sum, ids) => sum + finder.mark(ids).reduce((a, b) => a + b, 0), 0)).toBe(0);
  });

  it('never counts special tokens, and no template that natural text has as often', () => {
    const made = corpora(6, 1);
    const finder = finderOf(made);
    expect(made.documents.every(({ ids }) => finder.mark(ids).at(-1) === 0)).toBe(true);
    const explained = finderOf({ ...made, natural: made.documents.slice(0, 1200).map(({ ids }) => ids) });
    expect(made.documents.some(({ ids }) => explained.mark(ids).includes(1))).toBe(false);
  });

  it('leaves as the rest what is neither marked nor special', () => {
    const made = corpora(6, 1);
    const finder = finderOf(made);
    for (const { ids } of made.documents.slice(0, 50)) {
      const [marks, rest] = [finder.mark(ids), finder.rest(ids)];
      expect(rest.at(-1)).toBe(0);
      rest.forEach((one, t) => expect(one === 1 && marks[t] === 1).toBe(false));
      expect(rest.filter((one, t) => one === 0 && marks[t] === 0).length).toBeLessThanOrEqual(2);
    }
    expect(made.documents.some(({ ids }) => finder.rest(ids).includes(1))).toBe(true);
  });

  it('takes the settings', () => {
    const made = corpora(7, 4);
    const strict = finderOf(made, { ...TEMPLATE_DEFAULTS, minDocuments: 2400 });
    expect(strict.threshold).toBe(2400);
    expect(made.documents.some(({ ids }) => strict.mark(ids).includes(1))).toBe(false);
  });

  it("tells how often a token follows its context, from the document's beginning on", () => {
    const synthetic = Array.from({ length: 40 }, (_, i) => [5, 6, i % 4 === 0 ? 7 : 8, 100 + i, EOS]);
    const finder = new TemplateFinder({ synthetic, natural: [[50, 51, 52]] });
    const shares = finder.continuation([5, 6, 8, 200, EOS]);
    expect(Array.from(shares.subarray(0, 3))).toEqual([1, 1, 0.75]);
    expect(shares[3]).toBe(0);
    expect(finder.continuation([9, 6])[0]).toBe(0);
  });

  it('refuses corpora without tokens', () => {
    expect(() => new TemplateFinder({ synthetic: [[5]], natural: [] })).toThrow(
      'expected tokens of both kinds of text, received 1 synthetic and 0 natural ones',
    );
  });
});
