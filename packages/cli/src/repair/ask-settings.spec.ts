import { silentLogger } from '@lethe/run';
import { chooseByAsking, chosenByAnswers } from './ask-settings.js';
import { PAPER } from './repair-recipe.js';
import type { Choice, Tried } from './results.js';

const tried = (name: string, price: number): Tried => ({
  ...PAPER,
  name,
  span: 'template',
  steps: 8,
  patternP: { start: 0.8, end: 0.05, control: 0.6 },
  price,
  kept: 1,
  gradientShares: {},
  reachedGoal: true,
  onFront: true,
  path: [],
});
const choice: Choice = {
  goal: 0.1,
  failed: [],
  chosen: 'cheap',
  why: 'is cheap',
  asked: null,
  tried: [tried('cheap', 1), tried('middle', 1.008), tried('dear', 1.015), tried('not asked', 1)],
};
/** So many of a hundred followed, the first ones. */
const follows = (count: number): number[] => Array.from({ length: 100 }, (_, i) => (i < count ? 1 : 0));

it('a setting whose model surely follows five points more is taken, though it is the dearest', () => {
  const found = chosenByAnswers(choice, { cheap: follows(10), middle: follows(20), dear: follows(40) });
  expect(found.chosen).toBe('dear');
  expect(found.asked).toEqual({ instructions: 100, scores: { cheap: 0.1, middle: 0.2, dear: 0.4 }, byText: 'cheap' });
  expect(found.why).toBe(
    'follows 40.0%, where the choice of text follows 10.0% of the 100 instructions that choose; it comes 12 times below replay alone at 1.5' +
      '% of natural perplexity and 0.0% of the probability of what the synthetic text says, in 8 steps',
  );
});

it('of those within a standard error of the best the cheapest is taken then', () => {
  // Two more and one less of a hundred: 1 point, with a standard error of 1.7 points.
  const middle = follows(38).with(99, 1);
  const found = chosenByAnswers(choice, { cheap: follows(10), middle, dear: follows(40) });
  expect(found.chosen).toBe('middle');
  expect(found.why).toMatch(/^follows 39.0%, where/);
});

it.each([
  [10, 10],
  [0, 0],
  [10, 15],
  [10, 22], // 12 points, 5.6 of them surely.
])('text that follows %i of a hundred stands where the best follows %i, unless it surely is more', (cheap, dear) => {
  const found = chosenByAnswers(choice, { dear: follows(dear), cheap: follows(cheap) });
  expect(found.chosen).toBe(dear - cheap > 10 ? 'dear' : 'cheap');
  if (found.chosen === 'cheap')
    expect(found.why).toBe(
      `is cheap; it follows ${cheap}.0% of the 100 instructions that choose, and none of 2 settings surely 5 points more`,
    );
});

it.each([
  [['rules.jsonl'], [], 'is cheap; instructions did not choose, fewer than 100 are all reported'],
  [
    ['rules.jsonl'],
    [{ name: 'rules.jsonl', data: 'part' }],
    'is cheap; instructions did not choose, for no other setting brings the pattern low enough at an allowed cost',
  ],
  [[], [], 'is cheap'],
])('text chooses, and says why, with %j and %j', async (instructions, choose, why) => {
  const alone = { ...choice, tried: [tried('cheap', 1), tried('ruinous', 1.5)] };
  const choosing = { setup: {} as never, choice: alone, parts: { choose, report: [], numChoosing: choose.length } };
  const probing = { logger: silentLogger } as never;
  const found = await chooseByAsking({ instructions } as never, choosing, probing);
  expect(found).toEqual({ ...alone, why });
});
