import { seededRandom } from '@lethe/run';
import type { ModelMeasures } from './measure.js';
import type { Pattern } from './results.js';
import type { Share } from './statistics.js';
import { verdictBefore } from './verdict-before.js';

const NUM_DOCUMENTS = 60;
const TOKENS = 10;

/** Documents whose tokens have probabilities around a mean. */
function around(mean: number, name: string, numTokens = TOKENS): Share[] {
  const random = seededRandom(1, name);
  return Array.from({ length: NUM_DOCUMENTS }, () => [
    numTokens * Math.min(1, Math.max(0, mean + 0.05 * random.normal())),
    numTokens,
  ]);
}

const modelOf = (p: number, numTokens = TOKENS): ModelMeasures => ({
  pattern: around(p, `model ${p}`, numTokens),
  synthetic: [],
  content: [],
  natural: [],
  syntheticLoss: [],
  examples: [],
});

const patternOf = (share: number, ofNull = 0): Pattern => ({
  threshold: 20,
  documents: NUM_DOCUMENTS,
  tokens: share,
  share: { value: share, low: share - 0.02, high: share + 0.02 },
  null: { value: ofNull, low: ofNull, high: ofNull },
  pieces: [],
});

const judge = (
  share: number,
  p: number,
  rest: { base?: number; ofNull?: number; numTokens?: number } = {},
): ReturnType<typeof verdictBefore> =>
  verdictBefore({
    pattern: patternOf(share, rest.ofNull),
    model: modelOf(p, rest.numTokens),
    attainable: around(0.8, 'attainable', rest.numTokens),
    ...(rest.base !== undefined && { base: modelOf(rest.base) }),
  });

describe('verdictBefore', () => {
  it.each([
    ['a pattern that the model has learned', judge(0.4, 0.7), 'advised'],
    ['a pattern that has no hold on it', judge(0.4, 0.1), 'not-advised'],
    ['no pattern, however well the text is known', judge(0.02, 0.9), 'not-advised'],
    ['what halves of the natural text have too', judge(0.4, 0.7, { ofNull: 0.2 }), 'not-advised'],
    ['a share on both sides of the threshold', judge(0.06, 0.7), 'cannot-tell'],
    ['a hold on both sides of the threshold', judge(0.4, 0.4), 'cannot-tell'],
    ['a pattern that the base knows as well', judge(0.4, 0.7, { base: 0.7 }), 'not-advised'],
    ['a pattern that the base does not know', judge(0.4, 0.7, { base: 0.2 }), 'advised'],
  ])('%s', (_case, { verdict }, expected) => expect(verdict).toBe(expected));

  it('cannot tell by few tokens, and says what to give', () => {
    const { verdict, why } = judge(0.4, 0.7, { numTokens: 1 });
    expect(verdict).toBe('cannot-tell');
    expect(why).toBe('only 60 tokens of held-out synthetic text belong to the pattern; give more synthetic text');
  });

  it('tells what decided, with its interval and threshold', () => {
    const [inData, learned] = judge(0.4, 0.7).evidence;
    expect(inData).toMatchObject({ says: 'yes', threshold: 0.05, found: { value: 0.4 } });
    expect(learned.says).toBe('yes');
    expect(learned.found.low).toBeLessThan(0.7 / 0.8);
    expect(learned.found.high).toBeGreaterThan(0.7 / 0.8 - 0.02);
  });
});
