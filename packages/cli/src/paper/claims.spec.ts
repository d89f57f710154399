import { seededRandom } from '@lethe/run';
import { claimsOf, type Outcome } from './claims.js';
import { MEASURED_TEXTS, type PaperMeasures } from './measure-model.js';
import type { LineageMeasures } from './run-lineage.js';

/** How often a model does what is counted, and how its perplexities lie. */
interface Model {
  hsr?: number;
  leak?: number;
  knows?: number;
  shift?: number;
  natural?: number;
}

function measuresOf({ hsr = 0.3, leak = 0, knows = 0.25, shift = 0, natural = 3 }: Model, seed: number): PaperMeasures {
  const random = seededRandom(seed, 'claims spec');
  const hits = (rate: number, n: number): number[] => Array.from({ length: n }, () => (random.next() < rate ? 1 : 0));
  const around = (mean: number): number[] => Array.from({ length: 40 }, () => mean + 0.1 * random.normal());
  const means = { natural, ability: 1, templateAside: 1, instructions: 2 + shift };
  const logPerplexities = Object.fromEntries(MEASURED_TEXTS.map((name) => [name, around(means[name])]));
  return {
    logPerplexities: logPerplexities as PaperMeasures['logPerplexities'],
    perplexity: { natural: 1, ability: 1, templateAside: 1, instructions: 1 },
    patternP: [0.5],
    leak: hits(leak, 80),
    knows: hits(knows, 48),
    hsr: hits(hsr, 200),
    ssr: hits(hsr, 200),
    samples: [],
  };
}

const DAMAGED: Model = { hsr: 0.15, leak: 0.9, knows: 1, shift: 1 };
const AS_THE_PAPER_SAYS: Record<string, Model> = {
  base: {},
  natural: {},
  synth: DAMAGED,
  refine: { ...DAMAGED, hsr: 0.16 },
  control: DAMAGED,
  template: { hsr: 0.28, leak: 0.02, knows: 1, shift: 0.2 },
  all: { hsr: 0.28, leak: 0.02, knows: 0.4, shift: 0.2 },
  ga: { natural: 4 },
};

function lineage(models: Record<string, Model>, seed: number): LineageMeasures {
  const made = Object.entries(models).map(([name, model], i) => [name, measuresOf(model, 100 * seed + i)] as const);
  return {
    seed,
    models: Object.fromEntries(made),
    chats: Object.fromEntries(made.map(([name, one]) => [name, [one]])),
  };
}

const outcomes = (models: Record<string, Model>, numSeeds = 5): Record<string, Outcome> =>
  Object.fromEntries(
    claimsOf(Array.from({ length: numSeeds }, (_, i) => lineage(models, i + 1))).map(({ id, span, claim, outcome }) => [
      `${id} ${span ?? ''} ${claim.slice(0, 12)}`,
      outcome,
    ]),
  );

describe('claims of the paper', () => {
  it('hold where every measure is as the paper says; what all-token forgetting loses does not', () => {
    const { 'C6 all unlearning k': lost, ...others } = outcomes(AS_THE_PAPER_SAYS);
    expect(lost).toBe('does-not-hold');
    expect(Object.entries(others).filter(([, outcome]) => outcome !== 'holds')).toEqual([]);
  });

  it('cannot be told where nothing differs, and knowledge that was never taught is not kept', () => {
    const same = Object.fromEntries(Object.keys(AS_THE_PAPER_SAYS).map((name) => [name, {}]));
    const found = outcomes(same);
    expect(found['C6 template unlearning k']).toBe('cannot-tell');
    expect(Object.values(found).filter((outcome) => outcome === 'cannot-tell').length).toBeGreaterThanOrEqual(15);
  });

  it('does not hold where it is the other way round', () => {
    const worse = { ...AS_THE_PAPER_SAYS, template: { ...DAMAGED, hsr: 0.02 } };
    expect(outcomes(worse)['C5 template unlearning r']).toBe('does-not-hold');
  });

  it('two seeds decide nothing', () => {
    expect(new Set(Object.values(outcomes(AS_THE_PAPER_SAYS, 2)))).toEqual(new Set(['cannot-tell']));
  });
});
