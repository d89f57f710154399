/** Sizes of a demo: model, data and steps. */
export interface DemoSettings {
  name: string;
  seed: number;
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
  numFacts: number;
  /** Synthetic documents per fact. */
  questionsPerFact: number;
  numNatural: number;
  /** Words that instructions offer. */
  numWords: number;
  numInstructions: number;
  numHeldOutInstructions: number;
  numBenchmarkItems: number;
  /** Share of synthetic rows in the mix that makes `synth` from `base`. */
  syntheticShare: number;
  steps: { pretrain: number; synth: number; unlearn: number; refine: number; finetune: number };
  lr: { pretrain: number; unlearn: number; finetune: number };
  /** Documents per kind of text in the measurements. */
  numMeasured: number;
}

/** The demo of the README: about ten minutes on two cores. */
export const FULL: DemoSettings = {
  name: 'demo',
  seed: 7,
  model: { hiddenSize: 192, intermediateSize: 512, numLayers: 4, numHeads: 6, numKeyValueHeads: 3 },
  vocabSize: 2048,
  rowLength: 256,
  rows: 16,
  numFacts: 256,
  questionsPerFact: 12,
  numNatural: 6000,
  numWords: 40,
  numInstructions: 6000,
  numHeldOutInstructions: 150,
  numBenchmarkItems: 200,
  syntheticShare: 0.3,
  steps: { pretrain: 380, synth: 240, unlearn: 50, refine: 50, finetune: 100 },
  lr: { pretrain: 3e-3, unlearn: 2e-4, finetune: 1e-3 },
  numMeasured: 200,
};

/** Every stage, small: under two minutes. Too little training for its numbers to mean much. */
export const QUICK: DemoSettings = {
  ...FULL,
  name: 'demo-quick',
  model: { hiddenSize: 96, intermediateSize: 256, numLayers: 2, numHeads: 4, numKeyValueHeads: 2 },
  vocabSize: 1024,
  rowLength: 128,
  numFacts: 64,
  numNatural: 1500,
  numInstructions: 1500,
  numHeldOutInstructions: 30,
  numBenchmarkItems: 60,
  steps: { pretrain: 60, synth: 50, unlearn: 12, refine: 12, finetune: 24 },
  numMeasured: 40,
};
