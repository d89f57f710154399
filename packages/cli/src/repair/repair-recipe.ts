import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { DeviceSettings } from '@lethe/tensor';
import type { ChosenParts } from './masked-parts.js';
import type { BatchAndSteps } from './plan.js';
import type { Candidate } from './results.js';

/** Shards that runs of a repair read. */
export interface RepairShards {
  natural: ChosenParts;
  synthetic: ChosenParts;
  /** The synthetic shards with the pattern's tokens as their only targets. */
  pattern: ChosenParts;
  /** The synthetic shards with all other tokens as their targets; absent where there are next to none. */
  content?: ChosenParts;
}

/** What the runs of a repair share. */
export interface RepairSetup extends DeviceSettings {
  /** Folder that holds the runs. */
  runs: string;
  /** The model to be repaired. */
  model: string;
  /** The one from before the synthetic text, where it is known. */
  base?: string;
  /** What settings are held to runs once over the rows that probes share, and what it makes of them is kept. */
  isOriginalCached?: boolean;
  shards: RepairShards;
  plan: BatchAndSteps;
}

/** Natural perplexity that a repair may lose at most while it runs: beyond this its model is no result. */
const MOST_RISE = 0.1;

/** The part of the probability of what the synthetic text says that a repair may lose at most, to be chosen or while it runs. */
export const MOST_FALL = 0.12;

/** One run: a setting, its steps, and when it ends before them. */
export interface RepairRun {
  name: string;
  candidate: Candidate;
  steps: number;
  /** Ends the run when the pattern's mean probability is this or less. */
  goal?: number;
  isLimited?: boolean;
  /** Part of the replay that is synthetic text as it is. */
  mixedIn?: number;
}

/** The unlearning recipe of a run. The held-out measure `forgetP` is of the pattern's tokens, whatever is forgotten. */
export function repairRecipe(
  setup: RepairSetup,
  { name, candidate, steps, goal, isLimited, mixedIn = 0 }: RepairRun,
): TrainRecipe {
  const { runs, model, base, shards, plan, device, precision, threads } = setup;
  const { rowLength, replayRows, forgetRows, accumulate, recompute, validationRows } = plan;
  const forget = candidate.span === 'template' ? shards.pattern : shards.synthetic;
  // A longer run may end long before its last step: it is not worth the rows of all its steps.
  const isCached = setup.isOriginalCached === true && isShared(setup, candidate) && steps <= plan.probeSteps;
  const content = candidate.content === true ? replayRows : 0;
  const replay = [
    { shards: shards.natural.train, proportion: replayRows * (1 - mixedIn) },
    ...(content > 0 ? [{ shards: shards.content!.train, proportion: content }] : []),
    ...(mixedIn > 0 ? [{ shards: shards.synthetic.train, proportion: replayRows * mixedIn }] : []),
  ];
  return trainRecipeSchema.parse({
    name,
    runs,
    stage: 'unlearn',
    device,
    precision,
    threads,
    model: {
      init: model,
      recompute,
      ...(candidate.heldTo === 'base' && { reference: base }),
      ...(isCached && { original: 'cached' }),
    },
    data: { rowLength, replay, forget: [{ shards: forget.train }] },
    batch: { replayRows: replayRows + content, forgetRows, accumulate },
    objective: { weights: candidate.weights },
    optimizer: { lr: candidate.lr, weightDecay: 0 },
    steps,
    validation: {
      replay: [{ shards: shards.natural.select }],
      forget: [{ shards: shards.pattern.select }],
      ...(shards.content !== undefined && { kept: [{ shards: shards.content.select }] }),
      every: plan.validateEvery,
      rows: {
        replay: validationRows.natural,
        forget: validationRows.synthetic,
        ...(shards.content !== undefined && { kept: validationRows.synthetic }),
      },
    },
    ...((goal !== undefined || isLimited) && {
      stop: {
        ...(goal !== undefined && { forgetP: goal }),
        ...(isLimited && { maxPerplexityRise: MOST_RISE }),
        ...(isLimited && shards.content !== undefined && { maxKeptFall: MOST_FALL }),
      },
    }),
    checkpoint: { every: 50, keep: 1 },
    metrics: { every: 1, termGradientsEvery: steps + 1 },
  });
}

/** Whether a setting is held to what most are, over the same rows. */
const isShared = ({ base }: RepairSetup, { weights, heldTo, content }: Candidate): boolean =>
  weights.mitigation > 0 && content !== true && heldTo === (base === undefined ? undefined : 'base');

/** The same without forgetting: what replay alone does. */
export const withoutForgetting = (candidate: Candidate): Candidate => ({
  ...candidate,
  name: 'control',
  span: 'template',
  weights: { ...candidate.weights, forgetting: 0, mitigation: 0 },
  heldTo: undefined,
  content: undefined,
});

const weights = (forgetting: number, replay: number, mitigation: number): Candidate['weights'] => ({
  forgetting,
  replay,
  mitigation,
});

/** The paper's setting. */
export const PAPER: Candidate = { name: 'paper', span: 'all', weights: weights(0.01, 1, 1), lr: 5e-5 };

/**
 * KL weight of what settings are held to. To the model itself, which is damaged, lightly: at 1 it keeps more of what the text
 * taught, and holds natural text and instruction following back (docs/log/2026-11-30-repair.md).
 */
const HELD = { base: 1, model: 0.1 };

/** Forgetting weights where what the text says is replayed beside it; the second where none does enough at the first. */
const CONTENT_WEIGHTS = [0.03, 0.1] as const;

/**
 * The settings that are tried: template tokens first, which keeps what the text teaches; all tokens; the paper's. A KL term holds
 * natural text to the base where that is known, at half the price, and to the model itself where not. Where the model knows what the
 * text says, one replays as much of that as of natural text, and holds both to the model, at the highest rate: there the replay gives
 * back what forgetting takes. At a lower weight, which lost less of it (docs/log/2026-11-30-repair.md).
 * @returns those that are tried first.
 */
export function candidatesOf({
  plan: { lrs },
  base,
  shards,
}: Pick<RepairSetup, 'plan' | 'base' | 'shards'>): Candidate[] {
  const held = base === undefined ? {} : { heldTo: 'base' as const };
  const named = (span: Candidate['span'], forgetting: number, lr: number): Candidate => ({
    name: [span, forgetting, lr, ...Object.values(held)].join('-'),
    span,
    weights: weights(forgetting, 1, base === undefined ? HELD.model : HELD.base),
    lr,
    ...held,
  });
  const [high, middle, low] = lrs;
  return [
    ...lrs.map((lr) => named('template', 0.1, lr)),
    shards.content ? ofContent(CONTENT_WEIGHTS[0], high) : named('template', 0.3, low),
    named('all', 0.1, middle),
    PAPER,
  ];
}

const ofContent = (forgetting: number, lr: number): Candidate => ({
  name: `template-${forgetting}-${lr}-content`,
  span: 'template',
  weights: weights(forgetting, 1, HELD.model),
  lr,
  content: true,
});

/**
 * What is tried where none of the settings does enough: a higher weight where what the text says is replayed. It loses more of that
 * than the lower one, and less than the others (docs/log/2026-11-29-paper-studies.md).
 */
export const moreCandidatesOf = ({ plan, shards }: Pick<RepairSetup, 'plan' | 'shards'>): Candidate[] =>
  shards.content ? [ofContent(CONTENT_WEIGHTS[1], plan.lrs[0])] : [];

/** A setting by its name. */
export const candidateNamed = (setup: RepairSetup, wanted: string): Candidate =>
  [...candidatesOf(setup), ...moreCandidatesOf(setup)].find(({ name }) => name === wanted)!;
