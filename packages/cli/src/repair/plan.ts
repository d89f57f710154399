import { countParameters, type LlamaConfig } from '@lethe/model';

/** How a repair trains: rows of each kind, their length, and steps. */
export interface BatchAndSteps {
  rowLength: number;
  replayRows: number;
  forgetRows: number;
  accumulate: number;
  recompute: boolean;
  /** Steps of each setting that is tried, of the repair at most, and between validations. */
  probeSteps: number;
  steps: number;
  validateEvery: number;
  validationRows: { natural: number; synthetic: number };
  /** Learning rates that are tried. */
  lrs: number[];
}

/** How much a repair may take; without either a default that is enough for the models it was tried on. */
export interface Budget {
  seconds?: number;
  tokens?: number;
}

/** The paper's: its learning rate and the width of its model. */
const [PAPER_LR, PAPER_WIDTH] = [5e-5, 2048];
const LARGEST_LR = 1e-3;
const LONGEST_ROW = 1024;
/** Tokens of a step for models below and above so many parameters. */
const [SMALL_STEP, LARGE_STEP, LARGE_MODEL] = [2048, 8192, 50e6];
/**
 * Tokens of each kind that are validated. A price is a part in a hundred of perplexity, the pattern's fall is a multiple: natural text
 * needs more (on 4,096 tokens prices were half a point from those of all held-out text).
 */
const VALIDATION_TOKENS = { natural: 16_384, synthetic: 4096 };
const [PROBE_STEPS, STEPS, FEWEST_STEPS] = [40, 200, 8];
/**
 * Runs as long as a probe, at most: seven settings, their four controls and the relapse of the repaired model; beside them the repair and
 * its control.
 */
export const NUM_PROBES = 12;
/** Settings whose models are asked, at most. */
export const MOST_ASKED = 5;
/** Passes over a token of a step (forward, backward twice), and of the validation beside it as small models have it. */
const WORK = 5;

/** Tokens of a row, and of a document that is measured, at most. */
export const rowLengthOf = ({ maxPositions }: Pick<LlamaConfig, 'maxPositions'>): number =>
  Math.min(maxPositions, LONGEST_ROW);

/** Bytes of a step: weights, gradients, moments, and the original's weights; what layers keep for the backward pass. */
function bytesOf(config: LlamaConfig, tokens: number, recompute: boolean): number {
  const { hiddenSize, intermediateSize, numLayers, vocabSize } = config;
  const layer = 8 * hiddenSize + 3 * intermediateSize;
  const kept = recompute ? numLayers * hiddenSize + layer : numLayers * layer;
  return 24 * countParameters(config) + 4 * tokens * (kept + hiddenSize) + 8 * Math.min(tokens, 1024) * vocabSize;
}

/** Seconds that training on so many tokens takes. */
export const trainingSeconds = (tokens: number, secondsPerToken: number): number => WORK * tokens * secondsPerToken;

/** Bytes of a step of a plan, estimated: of one that replays what the synthetic text says too, in as many rows as natural text. */
export const stepBytes = (config: LlamaConfig, plan: BatchAndSteps): number =>
  bytesOf(config, (2 * plan.replayRows + plan.forgetRows) * plan.rowLength, plan.recompute);

/** Rows of a step, shared between the kinds, in as many micro-batches as memory asks for. */
function batchOf(
  config: LlamaConfig,
  memory: number,
): Pick<BatchAndSteps, 'rowLength' | 'replayRows' | 'forgetRows' | 'accumulate' | 'recompute'> {
  const rowLength = rowLengthOf(config);
  const wanted = countParameters(config) < LARGE_MODEL ? SMALL_STEP : LARGE_STEP;
  let rows = Math.max(2, 2 * Math.round(wanted / rowLength / 2));
  const all = rows;
  const fits = (recompute: boolean): boolean => bytesOf(config, 1.5 * rows * rowLength, recompute) < memory;
  while (rows > 2 && !fits(true)) rows = 2 * Math.max(1, Math.floor(rows / 4));
  const half = rows / 2;
  return { rowLength, replayRows: half, forgetRows: half, accumulate: Math.ceil(all / rows), recompute: !fits(false) };
}

/** Learning rates scaled from the paper's by the width of the model; a quarter and an eighth of that, which keep more. */
export function learningRates({ hiddenSize }: LlamaConfig): number[] {
  const largest = Math.min(LARGEST_LR, (PAPER_LR * PAPER_WIDTH) / hiddenSize);
  return [largest, largest / 4, largest / 8].map((lr) => Number(lr.toPrecision(2)));
}

/**
 * What fits the model, the memory (bytes) and the budget.
 * @param secondsPerToken of a forward pass of the model on this machine.
 * @param isAsked whether models of several settings are asked, and one is chosen by that.
 */
export function planRepair(
  config: LlamaConfig,
  {
    memory,
    budget,
    secondsPerToken,
    isAsked = false,
  }: { memory: number; budget: Budget; secondsPerToken: number; isAsked?: boolean },
): BatchAndSteps {
  const probes = NUM_PROBES + (isAsked ? MOST_ASKED : 0);
  const batch = batchOf(config, memory);
  const stepTokens = (batch.replayRows + batch.forgetRows) * batch.accumulate * batch.rowLength;
  const tokens = Math.min(
    budget.tokens ?? Infinity,
    budget.seconds === undefined ? Infinity : budget.seconds / (WORK * secondsPerToken),
  );
  const affordable = tokens / stepTokens;
  const isFree = affordable === Infinity;
  const probeSteps = isFree ? PROBE_STEPS : Math.max(FEWEST_STEPS, Math.min(PROBE_STEPS, affordable / 2 / probes));
  const steps = isFree ? STEPS : Math.max(probeSteps, (affordable - probes * probeSteps) / 2);
  const validateEvery = probeSteps >= 40 ? 4 : 2;
  const whole = (count: number): number => validateEvery * Math.ceil(count / validateEvery);
  const validated = (tokens: number): number => Math.max(2, Math.round(tokens / batch.rowLength));
  return {
    ...batch,
    probeSteps: whole(Math.floor(probeSteps)),
    steps: whole(Math.floor(Math.min(steps, 5 * STEPS))),
    validateEvery,
    validationRows: {
      natural: validated(VALIDATION_TOKENS.natural),
      synthetic: validated(VALIDATION_TOKENS.synthetic),
    },
    lrs: learningRates(config),
  };
}
