import { z } from 'zod';
import { exponentHelp, exponentProblem, forgettingMethodNames, methodsHelp } from '@lethe/losses';
import { TEMPLATE_DEFAULTS } from '@lethe/data-pipeline';
import { DEVICE_NAMES } from '@lethe/tensor';
import { streamSchema } from './stream-recipe.js';
import { isEverPositive, weightSchema } from './weight-schedule.js';
import { checkValidation, stopSchema, validationSchema } from './validation-recipe.js';

const modelConfig = z.strictObject({
  vocabSize: z.int().positive().optional().describe("default: the tokenizer's"),
  hiddenSize: z.int().positive(),
  intermediateSize: z.int().positive(),
  numLayers: z.int().positive(),
  numHeads: z.int().positive(),
  numKeyValueHeads: z.int().positive().optional(),
  maxPositions: z.int().positive(),
  tieEmbeddings: z.boolean().default(true),
  ropeTheta: z.number().positive().default(10000),
  initializerRange: z.number().positive().default(0.02),
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
  stage: z.enum(['pretrain', 'refine', 'finetune', 'unlearn']),
  runs: z.string().default('runs').describe('folder that holds runs'),
  seed: z.int().nonnegative().default(1),
  device: z.enum(DEVICE_NAMES).default('lethe-cpu'),
  precision: z.enum(['fp32', 'bf16']).default('fp32'),
  threads: z.int().positive().optional().describe('CPU threads; default: all cores'),
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
      recompute: z.boolean().default(false).describe('recompute activations: less memory, a third more work'),
    })
    .refine(({ init, config }) => (init === undefined) !== (config === undefined), {
      message: 'exactly one of init (a checkpoint) and config (fresh weights)',
    }),
  data: z.strictObject({
    rowLength: z.int().min(2).describe('tokens per row, at most the context of the model'),
    packing: z.enum(['concat', 'best-fit']).default('best-fit'),
    replay: z.array(streamSchema).default([]).describe('natural data, or the training data of pretrain and finetune'),
    forget: z.array(streamSchema).default([]).describe('synthetic data whose pattern is to be forgotten'),
  }),
  batch: z.strictObject({
    replayRows: z.int().nonnegative().describe('rows per micro-batch'),
    forgetRows: z.int().nonnegative().default(0),
    accumulate: z.int().positive().default(1).describe('micro-batches per step'),
  }),
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
          forgetting: weightSchema(0.01),
          replay: weightSchema(1),
          mitigation: weightSchema(1),
        })
        .prefault({})
        .describe('weights of the three terms: numbers, or { from, to, steps, kind } over the steps of the run'),
      reduction: z.enum(['mean', 'sum']).default('mean'),
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
    .prefault({}),
  optimizer: z
    .strictObject({
      lr: z.number().positive().default(5e-5),
      beta1: z.number().min(0).lt(1).default(0.9),
      beta2: z.number().min(0).lt(1).default(0.95),
      epsilon: z.number().positive().default(1e-8),
      weightDecay: z.number().nonnegative().default(0.1).describe('on matrices; norms and biases do not decay'),
      clipNorm: z.number().positive().default(1).describe('largest norm of the gradient'),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      kind: z.enum(['constant', 'cosine']).default('constant'),
      warmupSteps: z.int().nonnegative().default(0),
      finalLr: z
        .number()
        .nonnegative()
        .default(0)
        .describe('what the cosine falls towards: the step after the last would have it'),
    })
    .prefault({}),
  steps: z.int().positive(),
  validation: validationSchema.optional(),
  stop: stopSchema.optional(),
  checkpoint: z
    .strictObject({
      every: z.int().positive().default(200).describe('steps between checkpoints'),
      keep: z.int().positive().default(2),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      every: z.int().positive().default(1).describe('steps between records'),
      termGradientsEvery: z
        .int()
        .nonnegative()
        .default(100)
        .describe('steps between gradient norms of each term (extra passes); 0 = never'),
    })
    .prefault({}),
});

/** The recipe of every training stage. Keys that are absent take the paper's values where it states them. */
export const trainRecipeSchema = recipeKeys
  .superRefine(checkValidation)
  .superRefine(({ stage, model, objective }, context) => {
    if (model.reference === undefined || (stage === 'unlearn' && isEverPositive(objective.weights.mitigation))) return;
    const message = 'a reference where unlearning has a mitigation term (objective.weights.mitigation) only';
    context.addIssue({ code: 'custom', path: ['model', 'reference'], message });
  })
  .superRefine(({ stage, objective: { weights } }, context) => {
    if (stage !== 'unlearn' || Object.values(weights).some(isEverPositive)) return;
    const message = 'a term with a weight above 0: with none, nothing would be trained';
    context.addIssue({ code: 'custom', path: ['objective', 'weights'], message });
  });

/** A validated training recipe. */
export type TrainRecipe = z.output<typeof trainRecipeSchema>;
