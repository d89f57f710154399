import type { WeightSchedule } from '@lethe/train';

/** A stage of training. */
export interface StageSettings {
  steps: number;
  lr: number;
}

/** What a repair does to `synth`. */
export interface RepairSettings {
  method: string;
  /** All tokens; the template's own, which are known as the text is made; or those that are found to be the template's. */
  span: 'all' | 'template' | 'found';
  weights: { forgetting: number; replay: number; mitigation: number | WeightSchedule };
  /** The model that the mitigation term holds to (default: `synth`, with which the repair begins). */
  reference?: 'base';
  /** Share of the replay that is the synthetic text's other tokens, those that are not the template's (default 0). */
  content?: number;
  lr: number;
  /** At most. */
  steps: number;
  /** Ends the run when the held-out pattern's mean probability is this or less. */
  untilP?: number;
  /** Steps between two looks at the held-out pattern (default 10). */
  every?: number;
}

/** The sizes, data and steps in which the paper's claims are tested. */
export interface Regime {
  model: {
    hiddenSize: number;
    intermediateSize: number;
    numLayers: number;
    numHeads: number;
    numKeyValueHeads: number;
  };
  vocabSize: number;
  rowLength: number;
  rows: number;
  corpus: {
    seed: number;
    numNatural: number;
    numFacts: number;
    documentsPerFact: number;
    kindDocuments: number;
    proseDocuments: number;
    abilityDocuments: number;
    numInstructions: number;
    numHeldOut: number;
    templates: number;
  };
  /** Share of prose in which people pick and write words, of the natural text that models are made of. */
  abilityShare: number;
  /** The same of the natural text that repairs replay: a user's ordinary data has less of it. */
  replayAbilityShare: number;
  /** Shares of the text that makes `synth` of `base`; the rest is natural. */
  synthetic: { template: number; prose: number };
  base: StageSettings;
  synth: StageSettings;
  /** Fine-tuning, in another chat format than the one that is tested. */
  chat: StageSettings & { runs: number };
  /** Of a repair that ends when the pattern has let go. */
  untilGone: { lr: number; steps: number; untilP: number; every: number };
  repairs: Record<string, RepairSettings>;
  /** Natural text alone: at first as many tokens as the longest repair reads, then twice as many, again and again. */
  refine: StageSettings & { doublings: number };
  /** Of every kind, to compare the texts themselves. */
  texts: { numDocuments: number };
  numMeasured: number;
  numLeak: number;
  numItems: number;
  maxNewTokens: number;
}

/** Of a repair without a mitigation term. */
export const weights = (forgetting: number): RepairSettings['weights'] => ({ forgetting, replay: 1, mitigation: 0 });

/** A small dose that is looked at every other step, and ends when the pattern has let go. */
const GONE = { lr: 1e-4, steps: 100, untilP: 0.3, every: 2 };
const UNTIL_GONE = { ...GONE, method: 'complement', weights: weights(0.1) } as const;
/** A dose past any use, to see what breaks. */
const TOO_MUCH = { span: 'template', weights: weights(1), lr: 5e-4, steps: 60 } as const;

/**
 * Chosen on three seeds for damage that fine-tuning leaves and for the price of repair: the model can follow instructions
 * before fine-tuning, which is light and mostly of another format; the repair ends by the pattern, since a fixed number of
 * steps costs knowledge in some seeds (docs/log/2026-11-29-paper-in-miniature.md).
 */
export const REGIME: Regime = {
  model: { hiddenSize: 128, intermediateSize: 352, numLayers: 3, numHeads: 4, numKeyValueHeads: 2 },
  vocabSize: 1024,
  rowLength: 128,
  rows: 16,
  corpus: {
    seed: 7,
    numNatural: 6000,
    numFacts: 48,
    documentsPerFact: 24,
    kindDocuments: 1200,
    proseDocuments: 2000,
    abilityDocuments: 8000,
    numInstructions: 4000,
    numHeldOut: 600,
    templates: 3,
  },
  abilityShare: 0.5,
  replayAbilityShare: 0.1,
  synthetic: { template: 0.5, prose: 0.25 },
  base: { steps: 2000, lr: 3e-3 },
  synth: { steps: 300, lr: 1.5e-3 },
  chat: { steps: 10, lr: 2e-4, runs: 3 },
  refine: { steps: 100, lr: 2e-4, doublings: 3 },
  untilGone: GONE,
  repairs: {
    control: { ...UNTIL_GONE, span: 'template', weights: weights(0), untilP: undefined },
    template: { ...UNTIL_GONE, span: 'template' },
    all: { ...UNTIL_GONE, span: 'all' },
    found: { ...UNTIL_GONE, span: 'found' },
    ga: { ...UNTIL_GONE, span: 'template', method: 'ga' },
    boundedSteps: { ...TOO_MUCH, method: 'complement' },
    gaSteps: { ...TOO_MUCH, method: 'ga' },
  },
  texts: { numDocuments: 200 },
  numMeasured: 60,
  numLeak: 200,
  numItems: 96,
  maxNewTokens: 40,
};

/** When and on what the regime was chosen: these seeds are not reported. */
export const CHOSEN = { date: '2026-11-29', seeds: [1, 2, 3] };

/** Every model, hardly trained. */
export const QUICK: Regime = {
  ...REGIME,
  corpus: { ...REGIME.corpus, numNatural: 800, abilityDocuments: 800, numInstructions: 600, numHeldOut: 60 },
  base: { ...REGIME.base, steps: 60 },
  synth: { ...REGIME.synth, steps: 40 },
  chat: { ...REGIME.chat, steps: 10, runs: 1 },
  refine: { ...REGIME.refine, steps: 10, doublings: 1 },
  untilGone: { ...GONE, steps: 10 },
  repairs: Object.fromEntries(Object.entries(REGIME.repairs).map(([name, repair]) => [name, { ...repair, steps: 10 }])),
  texts: { numDocuments: 60 },
  numMeasured: 20,
  numLeak: 40,
  numItems: 24,
};
