import { z } from 'zod';
import { exponentHelp, exponentProblem, forgettingMethodNames, methodsHelp } from '@lethe/losses';
import { TEMPLATE_DEFAULTS } from '@lethe/data-pipeline';
import { DEVICE_NAMES } from '@lethe/tensor';
import { loraSchema } from './lora-recipe.js';
import { replaySchema, streamSchema } from './stream-recipe.js';
import { isEverPositive, weightSchema } from './weight-schedule.js';
import { checkValidation, stopSchema, validationSchema } from './validation-recipe.js';

const modelConfig = z.strictObject({
  vocabSize: z.int().positive().optional().describe("default: the tokenizer's"),
  hiddenSize: z.int().positive().describe('width of the hidden states'),
  intermediateSize: z.int().positive().describe('width inside the feed-forward layer'),
  numLayers: z.int().positive().describe('layers'),
  numHeads: z.int().positive().describe('attention heads; they divide hiddenSize'),
  numKeyValueHeads: z.int().positive().optional().describe('heads of keys and values; default: numHeads'),
  maxPositions: z.int().positive().describe('context, in tokens'),
  tieEmbeddings: z.boolean().default(true).describe('one matrix for input and output embeddings'),
  ropeTheta: z.number().positive().default(10000).describe('base of the rotary positions'),
  initializerRange: z.number().positive().default(0.02).describe('standard deviation of fresh weights'),
});

const templateSchema = z
  .strictObject({
    minDocuments: z
      .int()
      .positive()
      .default(TEMPLATE_DEFAULTS.minDocuments)
      .describe('documents that must share an n-gram, at least'),
    minShare: z.number().min(0).max(1).default(TEMPLATE_DEFAULTS.minShare).describe('the same as a share of all'),
    enoughShare: z
      .number()
      .positive()
      .max(1)
      .default(TEMPLATE_DEFAULTS.enoughShare)
      .describe('share of documents that is enough in any case'),
    minLogOdds: z
      .number()
      .default(TEMPLATE_DEFAULTS.minLogOdds)
      .describe('nats by which it must be more frequent than in the replay data'),
  })
  .describe('how forgetSpan: template tells a template from what documents say');

const recipeKeys = z.strictObject({
  name: z
    .string()
    .regex(/^(?!\.+$)[\w.-]+$/, 'letters, digits, "_", "-" and "." only, and not dots alone')
    .describe('folder of the run in `runs`'),
  stage: z.enum(['pretrain', 'refine', 'finetune', 'unlearn']).describe('the command that the recipe is for'),
  runs: z.string().default('runs').describe('folder that holds runs'),
  seed: z.int().nonnegative().default(1).describe('of fresh weights and of the order of rows'),
  device: z.enum(DEVICE_NAMES).default('lethe-cpu').describe('where to compute; auto: a GPU where one can be used'),
  precision: z
    .enum(['fp32', 'bf16'])
    .default('fp32')
    .describe('of activations and matrix products; weights and moments stay fp32'),
  threads: z.int().positive().optional().describe('CPU threads; default: all cores'),
  ranks: z
    .strictObject({
      shard: z
        .enum(['optimizer', 'none'])
        .default('optimizer')
        .describe('what is divided among them: the moments of AdamW (ZeRO-1), or nothing'),
    })
    .prefault({})
    .describe('what several processes hold (docs/scaling.md); nothing to one process'),
  model: z
    .strictObject({
      init: z.string().optional().describe('checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME'),
      config: modelConfig.optional().describe('sizes of a model with fresh weights'),
      tokenizer: z
        .string()
        .optional()
        .describe('tokenizer folder, or hf://OWNER/NAME, of a fresh model; copied into what is saved'),
      reference: z
        .string()
        .optional()
        .describe(
          'checkpoint folder, or hf://OWNER/NAME, that the mitigation term holds the model to, such as the base from before the synthetic data; default: the model that unlearning starts from',
        ),
      original: z
        .enum(['live', 'cached'])
        .optional()
        .describe(
          'how a term compares with a frozen model: live runs it beside the trained one; cached runs it once over each row that the run will read and keeps what its head reads beside the shards, for this and other runs (docs/training.md); default: live',
        ),
      recompute: z.boolean().default(false).describe('recompute activations: less memory, a third more work'),
      lora: loraSchema.optional(),
    })
    .refine(({ init, config }) => (init === undefined) !== (config === undefined), {
      message: 'exactly one of init (a checkpoint) and config (fresh weights)',
    })
    .refine(({ config, lora }) => lora === undefined || config === undefined, {
      path: ['lora'],
      message: 'an adapter over a checkpoint (init) only: fresh weights, frozen, would stay noise',
    })
    .describe('the model that the run starts from: init or config'),
  data: z
    .strictObject({
      rowLength: z.int().min(2).describe('tokens per row, at most the context of the model'),
      packing: z
        .enum(['concat', 'best-fit'])
        .default('best-fit')
        .describe('how documents fill rows: one after another, cut where a row ends, or whole where they fit'),
      replay: z.array(replaySchema).default([]).describe('natural data, or the training data of pretrain and finetune'),
      forget: z.array(streamSchema).default([]).describe('synthetic data whose pattern is to be forgotten'),
    })
    .describe('token rows of the run'),
  batch: z
    .strictObject({
      replayRows: z.int().nonnegative().describe('rows of replay data per micro-batch'),
      forgetRows: z.int().nonnegative().default(0).describe('rows of forget data per micro-batch'),
      accumulate: z.int().positive().default(1).describe('micro-batches per step'),
    })
    .describe('rows of a step'),
  objective: z
    .strictObject({
      method: z
        .enum(forgettingMethodNames)
        .default(forgettingMethodNames[0])
        .describe(`forgetting loss of a token with probability p (docs/math.md, section 3):\n${methodsHelp()}`),
      beta1: z.number().optional().describe(exponentHelp('beta1')),
      beta2: z.number().optional().describe(exponentHelp('beta2')),
      weights: z
        .strictObject({
          forgetting: weightSchema(0.01).describe('of the loss that pushes the synthetic text away'),
          replay: weightSchema(1).describe('of the loss on natural text'),
          mitigation: weightSchema(1).describe('of the KL divergence from the original model, or from model.reference'),
        })
        .prefault({})
        .describe('weights of the three terms: numbers, or { from, to, steps, kind } over the steps of the run'),
      reduction: z.enum(['mean', 'sum']).default('mean').describe('mean or sum of a term over the tokens of a step'),
      forgetSpan: z
        .enum(['all', 'answer', 'template'])
        .default('all')
        .describe(
          'which tokens of the forget data are forgotten: all, as the paper does; those of answers; those of the template, found from what many documents share and the replay data does not explain (docs/training.md)',
        ),
      answerMarker: z
        .string()
        .min(1)
        .optional()
        .describe('what stands before an answer in plain text, such as "**Answer:**"; for forgetSpan: answer'),
      template: templateSchema.prefault({}),
    })
    .superRefine((objective, context) => {
      const problem = exponentProblem(objective);
      if (problem) context.addIssue({ code: 'custom', path: [problem.key], message: problem.message });
      if (objective.answerMarker !== undefined && objective.forgetSpan !== 'answer')
        context.addIssue({
          code: 'custom',
          path: ['answerMarker'],
          message: `an answerMarker with forgetSpan: answer only, not with ${objective.forgetSpan}`,
        });
    })
    .prefault({})
    .describe('what unlearning minimises; other stages learn from replay data alone'),
  optimizer: z
    .strictObject({
      lr: z.number().positive().default(5e-5).describe('largest learning rate, of AdamW'),
      beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the first moment'),
      beta2: z.number().min(0).lt(1).default(0.95).describe('decay of the second moment'),
      epsilon: z.number().positive().default(1e-8).describe('added to the root of the second moment'),
      weightDecay: z.number().nonnegative().default(0.1).describe('on matrices; norms and biases do not decay'),
      clipNorm: z.number().positive().default(1).describe('largest norm of the gradient'),
    })
    .prefault({})
    .describe('AdamW'),
  schedule: z
    .strictObject({
      kind: z
        .enum(['constant', 'cosine'])
        .default('constant')
        .describe('how the learning rate changes after the warm-up'),
      warmupSteps: z.int().nonnegative().default(0).describe('steps in which the learning rate rises from 0'),
      finalLr: z
        .number()
        .nonnegative()
        .default(0)
        .describe('what the cosine falls towards: the step after the last would have it'),
    })
    .prefault({})
    .describe('the learning rate over the steps'),
  steps: z.int().positive().describe('optimizer steps of the run'),
  validation: validationSchema.optional(),
  stop: stopSchema.optional(),
  checkpoint: z
    .strictObject({
      every: z.int().positive().default(200).describe('steps between checkpoints'),
      keep: z.int().positive().default(2).describe('newest checkpoints that stay on disk'),
    })
    .prefault({})
    .describe('what an interrupted run goes on from'),
  metrics: z
    .strictObject({
      every: z.int().positive().default(1).describe('steps between records'),
      termGradientsEvery: z
        .int()
        .nonnegative()
        .default(100)
        .describe('steps between gradient norms of each term (extra passes); 0 = never'),
    })
    .prefault({})
    .describe('what metrics.jsonl records'),
});

/** Which replay rows are held is asked where rows are held; where some are, some source must be. */
function checkHeld(
  { stage, objective, data: { replay } }: z.output<typeof recipeKeys>,
  context: z.RefinementCtx<unknown>,
): void {
  const isHeld = stage === 'unlearn' && isEverPositive(objective.weights.mitigation);
  const told = replay.findIndex(({ held }) => held !== undefined);
  if (told >= 0 && !isHeld) {
    const message = 'held where unlearning has a mitigation term (objective.weights.mitigation) only';
    context.addIssue({ code: 'custom', path: ['data', 'replay', told, 'held'], message });
  }
  if (isHeld && replay.length > 0 && replay.every(({ held }) => held === false)) {
    const message =
      'a source that is held (held: true), or no mitigation term (objective.weights.mitigation=0): it would hold nothing';
    context.addIssue({ code: 'custom', path: ['data', 'replay'], message });
  }
  for (const [i, { shards, held = true }] of replay.entries()) {
    if (!replay.some((other) => other.shards === shards && (other.held ?? true) !== held)) continue;
    const message = 'shards that are held or not, and here they are both';
    context.addIssue({ code: 'custom', path: ['data', 'replay', i, 'held'], message });
    return;
  }
}

/** The recipe of every training stage. Keys that are absent take the paper's values where it states them. */
export const trainRecipeSchema = recipeKeys
  .superRefine(checkValidation)
  .superRefine(({ stage, model, objective }, context) => {
    if (model.reference === undefined || (stage === 'unlearn' && isEverPositive(objective.weights.mitigation))) return;
    const message = 'a reference where unlearning has a mitigation term (objective.weights.mitigation) only';
    context.addIssue({ code: 'custom', path: ['model', 'reference'], message });
  })
  .superRefine(checkHeld)
  .superRefine(({ stage, objective: { weights } }, context) => {
    if (stage !== 'unlearn' || Object.values(weights).some(isEverPositive)) return;
    const message = 'a term with a weight above 0: with none, nothing would be trained';
    context.addIssue({ code: 'custom', path: ['objective', 'weights'], message });
  });

/** A validated training recipe. */
export type TrainRecipe = z.output<typeof trainRecipeSchema>;
