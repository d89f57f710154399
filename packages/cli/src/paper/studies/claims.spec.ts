import { seededRandom } from '@lethe/run';
import { REGIME } from '../regime.js';
import type { Outcome } from './claim.js';
import { claimsOf, tokenRatio } from './claims.js';
import { MEASURED_TEXTS, type PaperMeasures } from '../measures/measure-model.js';
import type { Pair } from '../corpus/compared-texts.js';
import type { TextMeasures } from '../measures/measure-texts.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';

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
  const around = (mean: number): number[] => Array.from({ length: 40 }, () => mean + spread * random.normal());
  const spread = 0.1 / (1 + shift);
  const means = { natural, ability: 1, templateAside: 1, instructions: 2 + shift, instructionsAside: 2 + shift };
  const logPerplexities = Object.fromEntries(MEASURED_TEXTS.map((name) => [name, around(means[name])]));
  return {
    logPerplexities: logPerplexities as PaperMeasures['logPerplexities'],
    perplexity: { natural: 1, ability: 1, templateAside: 1, instructions: 1, instructionsAside: 1 },
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
  gaSteps: { natural: 5 },
  boundedSteps: { natural: 3 },
  refine2x: { ...DAMAGED, leak: 0.8 },
};

/** Texts that lie apart by so much, beside halves and sources of natural text that hardly do. */
function textsOf(apart: number, seed: number): TextMeasures {
  const each = <T>(of: (distance: number) => T): Record<Pair, T> => ({
    synthetic: of(apart),
    halves: of(0),
    sources: of(0.1),
  });
  const random = seededRandom(seed, 'texts spec');
  const noise = (): number => 0.01 * random.normal();
  return {
    ownNeighbours: each((distance) => Array.from({ length: 40 }, () => 0.5 + distance / 2 + noise())),
    separability: each((distance) => 0.5 + distance / 2 + noise()),
    divergence: each((distance) => distance / 2 + noise()),
    peaks: apart > 0.1 ? [{ text: 'Question', share: 0.1, naturalShare: 0, excess: 0.3 }] : [],
    largestByChance: 0.01,
    layout: [],
    curves: { synthetic: { x: [], y: [] }, natural: { x: [], y: [] } },
  };
}

function lineage(models: Record<string, Model>, seed: number, apart: number): LineageMeasures {
  const streams = Object.values(models); // The same model has the same noise.
  const made = Object.entries(models).map(
    ([name, model]) => [name, measuresOf(model, 100 * seed + streams.indexOf(model))] as const,
  );
  return {
    seed,
    models: Object.fromEntries(made),
    chats: Object.fromEntries(made.map(([name, one]) => [name, [one]])),
    texts: textsOf(apart, seed),
    steps: { template: 20, all: 20 },
    refined: [
      { name: 'refine', steps: 60 },
      { name: 'refine2x', steps: 120 },
    ],
  };
}

const outcomes = (models: Record<string, Model>, { numSeeds = 5, apart = 1 } = {}): Record<string, Outcome> =>
  Object.fromEntries(
    claimsOf(
      Array.from({ length: numSeeds }, (_, i) => lineage(models, i + 1, apart)),
      REGIME,
    ).map(({ id, span, claim, outcome }) => [`${id} ${span ?? ''} ${claim}`, outcome]),
  );
const begins = (found: Record<string, Outcome>, name: string): Outcome =>
  Object.entries(found).find(([one]) => one.startsWith(name))![1];

describe('claims of the paper', () => {
  it('hold where every measure is as the paper says; what all-token forgetting loses does not', () => {
    const found = outcomes(AS_THE_PAPER_SAYS);
    const notHeld = Object.entries(found).filter(([, outcome]) => outcome !== 'holds');
    expect(notHeld).toEqual([['C6 all unlearning keeps it (loses at most 5 points)', 'does-not-hold']]);
    expect(new Set(Object.keys(found).map((name) => name.slice(0, 2))).size).toBe(8);
  });

  it('cannot be told where nothing differs, and knowledge that was never taught is not kept', () => {
    const same = Object.fromEntries(Object.keys(AS_THE_PAPER_SAYS).map((name) => [name, AS_THE_PAPER_SAYS.base]));
    const found = outcomes(same, { apart: 0 });
    expect(begins(found, 'C6 template unlearning k')).toBe('cannot-tell');
    // No peak is fewer than chance gives; halves lie closer than two sources.
    const told = Object.entries(found).filter(([, outcome]) => outcome !== 'cannot-tell');
    expect(told.map(([name]) => name.slice(0, 2)).sort()).toEqual(['C1', 'C2', 'C2']);
  });

  it('does not hold where it is the other way round', () => {
    const worse = { ...AS_THE_PAPER_SAYS, template: { ...DAMAGED, hsr: 0.02 } };
    expect(begins(outcomes(worse), 'C5 template unlearning r')).toBe('does-not-hold');
  });

  it('two seeds decide nothing', () => {
    expect(new Set(Object.values(outcomes(AS_THE_PAPER_SAYS, { numSeeds: 2 })))).toEqual(new Set(['cannot-tell']));
  });

  it('the ratio of tokens is that of the last refined model whose leak is not yet as low', () => {
    const of = (models: Record<string, Model>): number =>
      tokenRatio(lineage({ ...AS_THE_PAPER_SAYS, ...models }, 1, 1), 'template');
    expect(of({ refine2x: { leak: 0 } })).toBe(60 / 20);
    expect(of({ refine: { leak: 0 } })).toBe(1);
    expect(of({})).toBe(120 / 20);
  });
});
