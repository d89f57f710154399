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

it('the setting whose model follows most is taken, though it is the dearest', () => {
  const found = chosenByAnswers(choice, { cheap: follows(10), middle: follows(20), dear: follows(40) });
  expect(found.chosen).toBe('dear');
  expect(found.asked).toEqual({ instructions: 100, scores: { cheap: 0.1, middle: 0.2, dear: 0.4 }, byText: 'cheap' });
  expect(found.why).toBe(
    'follows 40.0% of the 100 instructions that choose (the best 40.0%, the worst 10.0%); it comes 12 times below replay alone at 1.5' +
      '% of natural perplexity and 0.0% of the probability of what the synthetic text says, in 8 steps',
  );
});

it('of those within a standard error of the best the cheapest is taken', () => {
  // Two more and one less of a hundred: 1 point, with a standard error of 1.7 points.
  const middle = follows(38).with(99, 1);
  const found = chosenByAnswers(choice, { cheap: follows(10), middle, dear: follows(40) });
  expect(found.chosen).toBe('middle');
  expect(found.why).toContain('follows 39.0% of the 100 instructions that choose (the best 40.0%, the worst 10.0%)');
});

it('where none follows any, or all as many, text chooses', () => {
  const none = chosenByAnswers(choice, { dear: follows(0), cheap: follows(0) });
  expect(none.chosen).toBe('cheap');
  expect(none.why).toMatch(/^follows none of the 100 instructions that choose, as all 2 settings; it comes/);
  expect(chosenByAnswers(choice, { dear: follows(30), cheap: follows(30) }).chosen).toBe('cheap');
});

it('a setting that was not asked is not taken', () => {
  expect(chosenByAnswers(choice, { middle: follows(5), dear: follows(5) }).chosen).toBe('middle');
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
