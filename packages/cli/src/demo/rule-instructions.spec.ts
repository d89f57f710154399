import { constraintSchema, isSatisfied, scoreInstructions } from '@lethe/eval';
import { type Random, seededRandom } from '@lethe/run';
import { type InstructionExample, ruleInstruction } from './rule-instructions.js';
import { wordnetFacts } from './wordnet-facts.js';

const SAMPLES = 2000;
const words = wordnetFacts()
  .slice(0, 256)
  .map(({ word }) => word);
const samples = (random: Random): InstructionExample[] =>
  Array.from({ length: SAMPLES }, (_, i) => ruleInstruction(words, 1 + (i % 5), random));
const made = samples(seededRandom(1, 'test'));

describe('rule-checked instructions', () => {
  it('every response meets every one of its constraints', () => {
    const failing = made.filter(
      ({ response, constraints }) => !constraints.every((constraint) => isSatisfied(constraint, response, constraints)),
    );
    expect(failing).toEqual([]);
    const scores = scoreInstructions(
      made,
      made.map(({ response }) => response),
    );
    expect(scores.hsr).toMatchObject({ value: 1, n: SAMPLES });
  });

  it('the level is the number of constraints, each valid and none twice', () => {
    made.forEach(({ constraints }, i) => {
      expect(constraints).toHaveLength(1 + (i % 5));
      expect(new Set(constraints.map(({ kind }) => kind)).size).toBe(constraints.length);
      for (const constraint of constraints) expect(constraintSchema.parse(constraint)).toEqual(constraint);
    });
  });

  it('every kind of constraint is used, and each can be failed', () => {
    // The demo's instructions do not ask for words of a list by a rule: those of `lethe paper` do.
    const all = constraintSchema.options.map(({ shape }) => shape.kind.value);
    const kinds = all.filter((kind) => kind !== 'among');
    for (const kind of kinds) {
      const asking = made.filter(({ constraints }) => constraints.some((constraint) => constraint.kind === kind));
      expect(asking.length).toBeGreaterThan(SAMPLES / 50);
      // The response to another instruction does not do.
      const others = asking.filter(({ constraints }, i) => {
        const constraint = constraints.find((one) => one.kind === kind)!;
        return !isSatisfied(constraint, made[(7 * i + 3) % SAMPLES].response, constraints);
      });
      expect(others.length).toBeGreaterThan(0);
    }
  });

  it('a response uses offered words only', () => {
    for (const { prompt, response } of made) {
      const offered = /^Choose from these words: ([^.]*)\./.exec(prompt)![1].split(', ');
      const used = response.toLowerCase().match(/[a-z]+/g)!;
      expect(used.filter((word) => !offered.includes(word) && word !== 'words')).toEqual([]);
    }
  });

  it('the same seed gives the same instructions, another seed others', () => {
    expect(samples(seededRandom(1, 'test'))).toEqual(made);
    expect(samples(seededRandom(2, 'test'))).not.toEqual(made);
  });
});
