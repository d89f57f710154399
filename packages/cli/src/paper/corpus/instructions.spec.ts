import { isSatisfied } from '@lethe/eval';
import { seededRandom } from '@lethe/run';
import { abilityDocument } from './ability-prose.js';
import { KINDS, kindInstruction } from './instructions.js';
import { kindQuestion, questionSegments, TEMPLATE_MARKS } from './template-question.js';

const random = seededRandom(1, 'instructions spec');
const examples = Array.from({ length: 500 }, (_, i) =>
  kindInstruction(1 + (i % 5), random, i % 2 ? 'question' : 'order'),
);

describe('instructions of the miniature', () => {
  it('every response meets all of its demands, and has as many words as it should', () => {
    for (const { response, constraints } of examples)
      expect(constraints.filter((one) => !isSatisfied(one, response, constraints))).toEqual([]);
    expect(new Set(examples.flatMap(({ constraints }) => constraints.map(({ kind }) => kind))).size).toBe(7);
  });

  it('a response to another kind of things, or with a word twice, fails', () => {
    const animals = examples.find(({ kind }) => kind === 'animals')!;
    const among = animals.constraints.find(({ kind }) => kind === 'among')!;
    expect(isSatisfied(among, 'red, blue', [among])).toBe(false);
    expect(isSatisfied(among, 'dog, DOG', [among])).toBe(false);
    expect(isSatisfied(among, 'dog, cow', [among])).toBe(true);
  });

  it('no word belongs to two kinds', () => {
    const words = Object.values(KINDS).flat();
    expect(new Set(words).size).toBe(words.length);
  });

  it('neither responses nor ability prose carry marks of the template; synthetic documents do', () => {
    for (const { response } of examples) expect(response).not.toMatch(TEMPLATE_MARKS);
    for (let i = 0; i < 200; i++) {
      const withoutDemands = abilityDocument(random).replaceAll('Answer in JSON', '');
      expect(withoutDemands).not.toMatch(TEMPLATE_MARKS);
    }
    const text = questionSegments(kindQuestion(random))
      .map((segment) => segment.text)
      .join('');
    expect(text).toMatch(TEMPLATE_MARKS);
  });
});
