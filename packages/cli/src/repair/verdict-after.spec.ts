import { seededRandom } from '@lethe/run';
import type { BenchmarkEvidence, Followed } from './benchmarks.js';
import type { ModelMeasures } from './measure.js';
import type { Share } from './statistics.js';
import { verdictAfter } from './verdict-after.js';

const NUM_DOCUMENTS = 80;
const NONE: BenchmarkEvidence = { kept: [], followed: [], unanswered: [] };

function documents(mean: number, noise: number, name: string): Share[] {
  const random = seededRandom(1, name);
  return Array.from({ length: NUM_DOCUMENTS }, () => [10 * mean * (1 + noise * random.normal()), 10]);
}

/** A model by the pattern's probability and its natural loss; what a document adds to the loss is the same for all models. */
const modelOf = (p: number, loss: number, { noise = 0.1, content = 0 } = {}): ModelMeasures => {
  const difficulty = documents(4, 0.2, 'natural');
  const own = documents(1, noise * 0.1, `loss ${loss}`);
  return {
    pattern: documents(p, 0.1, `pattern ${p}`),
    synthetic: [],
    content: content > 0 ? documents(content, 0.1, `content ${content}`) : [],
    natural: difficulty.map(([sum, count], i) => [sum + 10 * (loss - 4) * (own[i][0] / 10), count]),
    syntheticLoss: [],
    examples: [],
  };
};

const judge = (
  end: ModelMeasures,
  control = modelOf(0.6, 3.99),
  start = modelOf(0.8, 4),
): ReturnType<typeof verdictAfter> => verdictAfter({ start, end, control });

describe('verdictAfter', () => {
  it('repaired: the pattern is gone, natural text is as replay alone leaves it', () => {
    const { verdict, price, evidence, advice } = judge(modelOf(0.02, 3.995));
    expect(verdict).toBe('repaired');
    expect(advice).toContain('this verdict does not say whether it follows instructions better');
    expect(price.againstControl.value).toBeCloseTo(Math.exp(0.005), 3);
    expect(evidence.map(({ says }) => says)).toEqual(['yes', 'yes', 'yes']);
    expect(evidence[0].found.value).toBeCloseTo(30, -1);
  });

  it.each([
    ['natural text is lost', judge(modelOf(0.02, 4.2)), 'do not use this model'],
    ['nothing is done that replay does not do', judge(modelOf(0.6, 3.99)), 'did nothing'],
    ['the pattern is weaker only', judge(modelOf(0.3, 3.99)), 'weaker, and not gone'],
  ])('not repaired: %s', (_case, { verdict, why }, expected) => {
    expect(verdict).toBe('not-repaired');
    expect(why).toContain(expected);
  });

  it.each([
    [{ value: -0.2, low: -0.3, high: -0.1 }, 'no', 'not-repaired'],
    [{ value: -0.02, low: -0.1, high: 0.06 }, 'open', 'repaired'],
  ] as const)('a benchmark that changed by %j', (found, says, expected) => {
    const start = modelOf(0.8, 4);
    const measures = { start, end: modelOf(0.02, 3.995), control: modelOf(0.6, 3.99) };
    const kept = { name: 'mmlu', question: 'Is mmlu kept?', measure: '', found, threshold: -0.05, says };
    const { verdict, why, evidence } = verdictAfter(measures, { ...NONE, kept: [kept] });
    expect(verdict).toBe(expected);
    expect(evidence).toHaveLength(4);
    expect(why.includes('lost mmlu')).toBe(expected === 'not-repaired');
  });

  it.each([
    [[0.1, 'yes'], [0.08, 'yes'], 'repaired', 'the score of rules is higher than before and than by replay alone'],
    [[0.1, 'yes'], [0.02, 'open'], 'repaired', 'the score of rules is higher than before'],
    [[0.02, 'open'], [0.08, 'yes'], 'cannot-tell', 'whether the score of rules is higher than before cannot be told'],
    [[-0.08, 'no'], [0.08, 'yes'], 'not-repaired', 'the score of rules is lower than before: do not use it'],
    [[0.1, 'yes'], [-0.08, 'no'], 'not-repaired', 'replay alone has the higher score of rules'],
  ] as const)(
    'of instructions followed %j more than before, %j than by replay alone',
    (gained, beside, expected, words) => {
      const evidence = ([value, says]: readonly [number, 'yes' | 'no' | 'open']): Followed['gained'] => {
        const found = { value, low: value - 0.05, high: value + 0.05 };
        return { name: 'rules', question: '', measure: '', found, threshold: 0, says };
      };
      const followed = [{ gained: evidence(gained), besideControl: evidence(beside), lost: null }];
      const measures = { start: modelOf(0.8, 4), end: modelOf(0.02, 3.995), control: modelOf(0.6, 3.99) };
      const judged = verdictAfter(measures, { ...NONE, followed });
      expect(judged.verdict).toBe(expected);
      expect(judged.why).toContain(words);
      expect(judged.evidence).toHaveLength(5);
      expect(judged.followed).toMatchObject([{ name: 'rules', gained: { value: gained[0] } }]);
      expect(/replay alone.*as much/.test(judged.advice)).toBe(expected === 'repaired' && beside[1] === 'open');
    },
  );

  it.each([
    ['yes', 'repaired'],
    ['open', 'not-repaired'],
  ] as const)('natural text may cost 2.5%% where more is followed than by replay alone: %s', (says, expected) => {
    const found = { value: 0.1, low: 0.05, high: 0.15 };
    const gained = { name: 'rules', question: '', measure: '', found, threshold: 0, says: 'yes' as const };
    const followed = [{ gained, besideControl: { ...gained, says }, lost: null }];
    const measures = { start: modelOf(0.8, 4), end: modelOf(0.02, 4.015), control: modelOf(0.6, 3.99) };
    expect(verdictAfter(measures, { ...NONE, followed }).verdict).toBe(expected);
    expect(verdictAfter(measures).verdict).toBe('not-repaired');
    const dearer = { ...measures, end: modelOf(0.02, 4.025) };
    expect(verdictAfter(dearer, { ...NONE, followed }).verdict).toBe('not-repaired');
  });

  it('says that instructions which no model follows tell nothing', () => {
    const measures = { start: modelOf(0.8, 4), end: modelOf(0.02, 3.995), control: modelOf(0.6, 3.99) };
    const { verdict, advice } = verdictAfter(measures, { ...NONE, unanswered: ['rules'] });
    expect(verdict).toBe('repaired');
    expect(advice).toMatch(/^no model follows anything of rules, .*--finetune RECIPE$/);
  });

  it.each([
    [0.58, 'yes', 'repaired', 'what the synthetic text says are kept'],
    [0.481, 'open', 'cannot-tell', 'both sides'],
    [0.4, 'no', 'not-repaired', 'lost a part of what the synthetic text taught'],
  ] as const)('of what the text says %f of 0.6 is left', (content, says, expected, words) => {
    const start = modelOf(0.8, 4, { content: 0.6 });
    const control = modelOf(0.6, 3.99, { content: 0.6 });
    const { verdict, why, evidence, price } = judge(modelOf(0.02, 3.995, { content }), control, start);
    expect(evidence[3]).toMatchObject({ threshold: 0.8, says });
    expect(verdict).toBe(expected);
    expect(why).toContain(words);
    expect(price.contentKept!.value).toBeCloseTo(content / 0.6, 1);
  });

  it('asks nothing of what the text says where that is next to nothing', () => {
    const { evidence, price } = judge(modelOf(0.02, 3.995));
    expect(evidence).toHaveLength(3);
    expect(price.contentKept).toBeNull();
  });

  it('asks nothing of what the text says where the model knows next to nothing of it', () => {
    const [start, end] = [modelOf(0.8, 4, { content: 0.03 }), modelOf(0.02, 3.995, { content: 0.01 })];
    const { verdict, price } = judge(end, modelOf(0.6, 3.99, { content: 0.03 }), start);
    expect(verdict).toBe('repaired');
    expect(price.contentKept).toBeNull();
  });

  it('advises what fits: more steps, or what makes it cheaper where costs ended it', () => {
    const measures = { start: modelOf(0.8, 4), end: modelOf(0.3, 3.99), control: modelOf(0.6, 3.99) };
    expect(verdictAfter(measures).advice).toContain('larger --budget');
    expect(verdictAfter(measures, NONE, true).advice).toMatch(/costs more than is allowed; natural text that says/);
  });

  it('cannot tell where an interval holds its threshold', () => {
    const { verdict, evidence } = judge(modelOf(0.2, 3.99));
    expect(evidence[0].says).toBe('open');
    expect(verdict).toBe('cannot-tell');
  });
});
