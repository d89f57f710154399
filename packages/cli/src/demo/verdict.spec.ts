import { chatMeasures, demoMeasures, score } from '../../testing/demo-measures.js';
import type { ModelMeasures } from './measure.js';
import type { DemoModel } from './stages.js';
import { type Verdict, verdicts } from './verdict.js';

type Changes = Partial<Record<DemoModel, Partial<ModelMeasures>>>;

/** The verdict on the claim whose text has some words in it. */
function verdictOn(claim: string, changes: Changes): Verdict {
  const found = verdicts(demoMeasures(changes)).filter((verdict) => verdict.claim.includes(claim));
  expect(found).toHaveLength(1);
  return found[0];
}
const outcomeOf = (claim: string, changes: Changes): Verdict['outcome'] => verdictOn(claim, changes).outcome;

/** Log-perplexities of instruction text; base's are 0 and 2. */
const instructions = (low: number, high: number): Partial<ModelMeasures> => ({
  logPerplexities: { natural: [0, 2], synthetic: [0, 2], instructions: [low, high] },
});

describe('C3: synthetic data shifts and narrows', () => {
  it.each([
    ['narrower, shifted by 0.0625', 1 / 16, 2 - 1 / 16, 'holds'],
    ['narrower, shifted by 0.046875 only', 3 / 64, 2 - 3 / 64, 'not'],
    ['shifted, as wide as before', 1, 3, 'not'],
    ['shifted, wider', -1, 4, 'not'],
    ['unchanged', 0, 2, 'not'],
  ] as const)('%s', (_case, low, high, outcome) => {
    expect(outcomeOf('narrows its spread', { synth: instructions(low, high) })).toBe(outcome);
  });
});

describe('C3: unlearning moves back towards base', () => {
  it.each([
    ['nearer', 0.75, 'holds'],
    ['as far', 1, 'not'],
    ['as far on the other side', -1, 'not'],
    ['farther', 1.25, 'not'],
  ] as const)('%s', (_case, shift, outcome) => {
    const changes = { synth: instructions(1, 3), unlearn: instructions(shift, 2 + shift) };
    expect(outcomeOf('back towards base', changes)).toBe(outcome);
  });
});

describe.each([
  ['C4', 'base-chat'],
  ['C5', 'unlearn-chat'],
] as const)('%s: %s follows more instructions than synth-chat', (claim, model) => {
  it.each([
    ['intervals apart', 50.1, 60, 'holds'],
    ['intervals that touch', 50, 60, 'unclear'],
    ['intervals that overlap, with the better value', 45, 60, 'unclear'],
    ['intervals that touch below', 30, 40, 'unclear'],
    ['intervals apart, the other way round', 30, 39.9, 'not'],
  ] as const)('%s', (_case, low, high, outcome) => {
    const changes = { 'synth-chat': chatMeasures(score(40, 50)), [model]: chatMeasures(score(low, high)) };
    expect(outcomeOf(claim, changes)).toBe(outcome);
  });
});

describe('C6: unlearning keeps the benchmark score', () => {
  it.each([
    ['an interval that reaches chance cannot be kept', score(25, 35), score(60, 70), 'unclear'],
    ['nor lost', score(20, 30), score(5, 10), 'unclear'],
    ['above chance, the intervals touch', score(40, 50), score(30, 40), 'holds'],
    ['above chance, better', score(40, 50), score(60, 70), 'holds'],
    ['above chance, below the interval', score(40, 50), score(30, 39.9), 'not'],
  ])('%s', (_case, before, after, outcome) => {
    const changes = { synth: { benchmark: { micro: before } }, unlearn: { benchmark: { micro: after } } };
    expect(outcomeOf('C6', changes)).toBe(outcome);
  });
});

describe('C7: gradient ascent damages more', () => {
  it.each([
    ['more than 5% worse', 105.01, 'holds'],
    ['5% worse', 105, 'not'],
    ['better', 90, 'not'],
    ['collapsed', Infinity, 'holds'],
  ] as const)('%s', (_case, natural, outcome) => {
    const ga = { perplexity: { natural, synthetic: 10, instructions: 20 } };
    expect(outcomeOf('C7', { ga })).toBe(outcome);
  });
});

describe('the template loses its hold', () => {
  it.each([
    ['less mass', 0.2, 'holds'],
    ['the same', 0.25, 'not'],
    ['more', 0.3, 'not'],
  ] as const)('%s', (_case, mass, outcome) => {
    const unlearn = { templateMass: { natural: 0.125, instructions: mass } };
    expect(outcomeOf('the template', { unlearn })).toBe(outcome);
  });
});

it('shows the numbers a verdict is made of', () => {
  const { detail } = verdictOn('C5', { 'unlearn-chat': chatMeasures(score(55, 65)) });
  expect(detail).toBe(
    'HSR: unlearn-chat 60.0% [55.0, 65.0], synth-chat 45.0% [40.0, 50.0], refine-chat 45.0% [40.0, 50.0]',
  );
});
