import {
  formatDuration,
  type Logger,
  type MetricsValue,
  remainingSeconds,
  type StopRequest,
  type StopSignal,
} from '@lethe/run';
import { termMeans, type TermSums, type TermWeights } from '@lethe/losses';
import { deviceMemory } from '@lethe/tensor';
import { learningRate } from './schedule.js';
import type { MicroBatch } from './micro-batch.js';
import { assertFinite, assertFiniteWeights, hasFiniteWeights, NonFiniteError } from './non-finite.js';
import type { Optimizer } from './optimizer.js';
import type { TrainRecipe } from './recipe.js';
import { Soundness } from './soundness.js';
import { accumulateGradients, evaluateBatches, type StepContext } from './step.js';
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
  const { recipe, stop, logger, validator } = training;
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
    // A checkpoint waits for the loss that its weights have in the next step: only then is it known to be good.
    const onSums = async (sums: TermSums): Promise<void> => {
      soundness.check(step, sums);
      if (isSaveDue) await save(step - 1);
    };
    let batches: MicroBatch[];
    let record: StepRecord;
    try {
      batches = await batchesOfStep(training.streams, recipe, step);
      record = await trainStep(training, { step, batches, onSums });
    } catch (error) {
      const isGood = !(error instanceof NonFiniteError) && hasFiniteWeights(training.optimizer.parameters);
      if (saved !== step - 1 && isGood) await training.save(step - 1);
      throw error;
    }
    const validation = await validator?.after(step);
    const decision = validator?.decision;
    training.onStep({ ...record, ...ofValidation(validation, decision) });
    logger.progress(progressLine(record, pace.after(step, tokensOf(batches))));
    // A turn of the event loop, so that signals and writes are served between steps.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const isLast = step === recipe.steps || decision !== undefined;
    isSaveDue = step % recipe.checkpoint.every === 0 || validator?.heldStep === step;
    if (isLast || stop?.requested) {
      const sums = evaluateBatches(contextOf(training, step), batches);
      assertFinite(step, sums, 0, { parameters: training.optimizer.parameters, batches, isAfter: true });
      soundness.check(step, sums);
      await save(step);
      logger.endProgress();
      if (decision) return { step, decision };
      return { step, ...(!isLast && { stoppedBy: stop!.requested }) };
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
  const { recipe, optimizer } = training;
  const context = contextOf(training, step);
  const started = performance.now();
  const { termGradientsEvery } = recipe.metrics;
  const wantsTerms = termGradientsEvery > 0 && (step === 1 || step % termGradientsEvery === 0);
  const terms = wantsTerms ? termGradientNorms(context, batches, optimizer) : undefined;
  const measured = wantsTerms ? performance.now() : started;
  const sums = accumulateGradients(context, batches);
  const norm = optimizer.gradientNorm();
  try {
    assertFinite(step, sums, norm, { parameters: optimizer.parameters, batches });
    const computed = performance.now() - measured;
    await onSums(sums);
    const updating = performance.now();
    const lr = learningRate(step, recipe);
    optimizer.update(step, lr, norm);
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
      ...throughput(batches, seconds),
    };
  } finally {
    optimizer.zeroGrad();
  }
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

function tokensOf(batches: MicroBatch[]): number {
  return batches.flatMap(({ forget, replay }) => [forget, replay]).reduce((n, rows) => n + (rows?.ids.length ?? 0), 0);
}

function throughput(batches: MicroBatch[], seconds: number): Record<string, MetricsValue> {
  const tokens = tokensOf(batches);
  return { tokens, seconds, tokensPerSecond: tokens / seconds, memoryBytes: deviceMemory().peak };
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
