import {
  formatDuration,
  type Logger,
  type MetricsValue,
  remainingSeconds,
  type StopRequest,
  type StopSignal,
} from '@lethe/run';
import { termMeans, type TermSums, type TermWeights } from '@lethe/losses';
import { type Collectives, deviceMemory } from '@lethe/tensor';
import { learningRate } from './schedule.js';
import type { MicroBatch } from './micro-batch.js';
import { areFinite, assertFinite, assertFiniteWeights, hasFiniteWeights, NonFiniteError } from './non-finite.js';
import type { Optimizer } from './optimizer.js';
import type { TrainRecipe } from './recipe.js';
import { Soundness } from './soundness.js';
import {
  describeOverRanks,
  evaluateOverRanks,
  gradientsOverRanks,
  mostOfRanks,
  stopOfAny,
} from './ranks/over-ranks.js';
import { gradientNormOverRanks, updateOverRanks } from './ranks/divide-optimizer.js';
import { isTogether, together } from './ranks/together.js';
import type { StepContext } from './step.js';
import type { StopDecision } from './stop-rules.js';
import { batchesOfStep, type TrainStreams } from './streams.js';
import { termGradientNorms } from './term-gradients.js';
import { hasSchedule, weightsOf } from './weight-schedule.js';
import type { ValidationRecord, Validator } from './validator.js';

/** What the loop works on and whom it tells. */
export interface Training {
  recipe: TrainRecipe;
  context: StepContext;
  optimizer: Optimizer;
  streams: TrainStreams;
  /** Who takes part: each rank runs its share of every step. */
  ranks: Collectives;
  logger: Logger;
  stop?: StopRequest;
  validator?: Validator;
  /** Called with every step's measures, before the next step begins; with those of step 0 where the run is validated. */
  onStep(record: StepRecord): void;
  /** Saves a checkpoint of `step` finished steps. */
  save(step: number): Promise<void>;
}

/** The measures of one step. */
export interface StepRecord {
  step: number;
  [measure: string]: MetricsValue;
}

/** How the loop ended after `step` steps: at its last step, at a signal, or by a rule of the recipe. */
export interface TrainingEnd {
  step: number;
  stoppedBy?: StopSignal;
  decision?: StopDecision;
}

/**
 * Trains from `startStep` finished steps to the recipe's end, a rule that ends the run, or a stop request; saves as the
 * recipe says, where validation wants it, and at the end.
 */
export async function train(training: Training, startStep: number): Promise<TrainingEnd> {
  const { recipe, ranks, stop, logger, validator } = training;
  if (startStep === 0) await validateStart(training);
  if (validator?.decision) return { step: startStep, decision: validator.decision };
  const pace = new Pace(recipe.steps, startStep);
  const soundness = new Soundness(training.context.model.config.vocabSize);
  let saved = startStep;
  let isSaveDue = false;
  const save = async (step: number): Promise<void> => {
    assertFiniteWeights(step, training.optimizer.parameters);
    await training.save(step);
    saved = step;
    isSaveDue = false;
  };
  for (let step = startStep + 1; step <= recipe.steps; step++) {
    ranks.at(`step ${step}`);
    // A checkpoint waits for the loss that its weights have in the next step: only then is it known to be good.
    const onSums = async (sums: TermSums): Promise<void> => {
      soundness.check(step, sums);
      if (isSaveDue) await save(step - 1);
    };
    let batches: MicroBatch[];
    let record: StepRecord;
    try {
      batches = await together(ranks, () => batchesOfStep(training.streams, recipe, step, ranks));
      record = await trainStep(training, { step, batches, onSums });
    } catch (error) {
      const isGood = !(error instanceof NonFiniteError) && hasFiniteWeights(training.optimizer.parameters);
      // Saving needs all ranks: where this one alone has failed, the others do not come.
      const canSave = isGood && (ranks.size === 1 || isTogether(error));
      if (saved !== step - 1 && canSave) await training.save(step - 1);
      throw error;
    }
    const validation = await validator?.after(step);
    const decision = validator?.decision;
    training.onStep({ ...record, ...ofValidation(validation, decision) });
    logger.progress(progressLine(record, pace.after(step, record.tokens as number)));
    // A turn of the event loop, so that signals and writes are served between steps.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const isLast = step === recipe.steps || decision !== undefined;
    isSaveDue = step % recipe.checkpoint.every === 0 || validator?.heldStep === step;
    const stoppedBy = await stopOfAny(stop, ranks);
    if (isLast || stoppedBy) {
      const sums = await evaluateOverRanks(contextOf(training, step), batches, ranks);
      await requireFinite(training, { step, batches, isAfter: true }, sums, 0);
      soundness.check(step, sums);
      await save(step);
      logger.endProgress();
      if (decision) return { step, decision };
      return { step, ...(!isLast && { stoppedBy }) };
    }
  }
  return { step: startStep };
}

/** The validation before the first step, which rules compare later ones with; its checkpoint is one to fall back on. */
async function validateStart({ validator, onStep, save }: Training): Promise<void> {
  const validation = await validator?.after(0);
  if (!validation) return;
  onStep({ step: 0, ...ofValidation(validation, validator!.decision) });
  if (validator!.heldStep === 0 || validator!.decision) await save(0);
}

function ofValidation(validation?: ValidationRecord, decision?: StopDecision): Record<string, MetricsValue> {
  return { ...(validation && { validation: { ...validation } }), ...(decision && { stop: decision.rule }) };
}

/** What a step works with: the objective's weights may follow a schedule. */
function contextOf({ context, recipe }: Training, step: number): StepContext {
  return { ...context, objective: { ...context.objective, weights: weightsOf(recipe, step) } };
}

interface Step {
  step: number;
  batches: MicroBatch[];
  /** Called with finite sums before the update. */
  onSums(sums: TermSums): Promise<void>;
}

/** One optimizer step; throws before the update when a loss or gradient is not finite, or `onSums` throws. */
async function trainStep(training: Training, { step, batches, onSums }: Step): Promise<StepRecord> {
  const { recipe, optimizer, ranks } = training;
  const context = contextOf(training, step);
  const started = performance.now();
  const { termGradientsEvery } = recipe.metrics;
  const wantsTerms = termGradientsEvery > 0 && (step === 1 || step % termGradientsEvery === 0);
  const terms = wantsTerms ? await termGradientNorms(context, batches, training) : undefined;
  const measured = wantsTerms ? performance.now() : started;
  const sums = await gradientsOverRanks(context, batches, training);
  const norm = await gradientNormOverRanks(optimizer, ranks);
  try {
    await requireFinite(training, { step, batches }, sums, norm);
    const computed = performance.now() - measured;
    await onSums(sums);
    const updating = performance.now();
    const lr = learningRate(step, recipe);
    updateOverRanks(optimizer, { step, lr, gradientNorm: norm }, ranks);
    const seconds = (computed + performance.now() - updating) / 1000;
    const weights: Record<string, MetricsValue> = hasSchedule(recipe)
      ? { weights: { ...context.objective.weights } }
      : {};
    return {
      step,
      ...lossFields(sums, context, terms),
      ...weights,
      gradientNorm: norm,
      lr,
      ...throughput(tokensOfStep(training), seconds),
      memoryBytes: await mostOfRanks(deviceMemory().peak, ranks),
    };
  } finally {
    optimizer.zeroGrad();
  }
}

/** @throws NonFiniteError on all ranks, naming the micro-batches of all. */
async function requireFinite(
  { optimizer: { parameters }, ranks }: Training,
  { step, ...where }: { step: number; batches: MicroBatch[]; isAfter?: boolean },
  sums: TermSums,
  norm: number,
): Promise<void> {
  if (areFinite(sums, norm)) return;
  const rows = ranks.size > 1 ? await describeOverRanks(where.batches, ranks) : undefined;
  assertFinite(step, sums, norm, { ...where, parameters, rows });
}

function lossFields(sums: TermSums, { objective }: StepContext, terms?: TermWeights): Record<string, MetricsValue> {
  const { loss, forgetting, replay, mitigation } = termMeans(sums, objective);
  const fields: Record<string, MetricsValue> = { loss, replay };
  if (sums.forgetTargets > 0) {
    Object.assign(fields, {
      forgetting,
      forgetP: sums.forgetP / sums.forgetTargets,
      push: sums.push / sums.forgetTargets,
    });
  }
  if (objective.weights.mitigation > 0) fields.mitigation = mitigation;
  if (terms) fields.termGradientNorms = { ...terms };
  return fields;
}

/** Tokens of a step, of all ranks. */
function tokensOfStep({ recipe, streams }: Training): number {
  const { forgetRows, replayRows, accumulate } = recipe.batch;
  const rows = (streams.forget ? forgetRows : 0) + (streams.replay ? replayRows : 0);
  return rows * accumulate * recipe.data.rowLength;
}

function throughput(tokens: number, seconds: number): Record<string, MetricsValue> {
  return { tokens, seconds, tokensPerSecond: tokens / seconds };
}

/** Steps, speed and time left. */
class Pace {
  private readonly started = performance.now();
  private tokens = 0;

  constructor(
    private readonly steps: number,
    private readonly startStep: number,
  ) {}

  after(step: number, tokens: number): { of: number; tokensPerSecond: number; left: string } {
    this.tokens += tokens;
    const seconds = (performance.now() - this.started) / 1000;
    const left = remainingSeconds(step - this.startStep, this.steps - this.startStep, seconds);
    return { of: this.steps, tokensPerSecond: this.tokens / seconds, left: formatDuration(left) };
  }
}

function progressLine(record: StepRecord, pace: { of: number; tokensPerSecond: number; left: string }): string {
  const terms = (['forgetting', 'replay', 'mitigation'] as const)
    .filter((term) => record[term] !== undefined)
    .map((term) => `${term} ${(record[term] as number).toFixed(4)}`);
  const speed = `${Math.round(pace.tokensPerSecond)} tokens/s`;
  return [
    `step ${record.step}/${pace.of}`,
    `loss ${(record.loss as number).toFixed(4)}`,
    ...terms,
    speed,
    `${pace.left} left`,
  ].join('  ');
}
