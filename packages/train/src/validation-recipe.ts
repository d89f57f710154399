import { resolve } from 'node:path';
import { z } from 'zod';
import { streamSchema } from './stream-recipe.js';

const DEFAULT_ROWS = 64;
const role = (what: string) => z.int().positive().optional().describe(`rows of ${what} that are measured`);

/** What is measured without training on it, and when. */
export const validationSchema = z
  .strictObject({
    replay: z.array(streamSchema).default([]).describe('held-out natural data, or held-out instructions'),
    forget: z.array(streamSchema).default([]).describe('synthetic data: held-out, or the very data to be forgotten'),
    kept: z
      .array(streamSchema)
      .optional()
      .describe('text that the model is to know afterwards as before, such as what synthetic data taught'),
    every: z
      .int()
      .positive()
      .default(100)
      .describe('steps between validations; there is one before the first step and one at the end as well'),
    rows: z
      .union([
        z.int().positive(),
        z.strictObject({
          replay: role('held-out natural data'),
          forget: role('synthetic data'),
          kept: role('what is to be known afterwards'),
        }),
      ])
      .default(DEFAULT_ROWS)
      .describe(
        'rows of each role that are measured, always the same ones; fewer where the shards hold fewer; a number for all, or ' +
          `one for each of replay, forget and kept (${DEFAULT_ROWS} where a role has none)`,
      ),
  })
  .refine(({ replay, forget, kept }) => replay.length + forget.length + (kept?.length ?? 0) > 0, {
    message: 'held-out shards in at least one of replay, forget and kept',
  })
  .describe('measures of held-out rows while training, in metrics.jsonl under `validation`');

type Validation = z.output<typeof validationSchema>;
type Role = 'replay' | 'forget' | 'kept';

/** Rows of a role that are measured, at most. */
export const rowsOfRole = ({ rows }: Pick<Validation, 'rows'>, role: Role): number =>
  typeof rows === 'number' ? rows : (rows[role] ?? DEFAULT_ROWS);

/** Rules that end a run before `steps`, each decided by validation. */
export const stopSchema = z
  .strictObject({
    maxPerplexityRise: z
      .number()
      .nonnegative()
      .optional()
      .describe('limit: how far the perplexity of validation.replay may rise above that of step 0; 0.05 is 5%'),
    maxKeptFall: z
      .number()
      .nonnegative()
      .lt(1)
      .optional()
      .describe('limit: how far the mean probability of validation.kept may fall below that of step 0; 0.1 is 10%'),
    forgetP: z
      .number()
      .positive()
      .lt(1)
      .optional()
      .describe('goal: end when the mean probability of the targets of validation.forget is this or less'),
    patience: z
      .int()
      .positive()
      .optional()
      .describe('end after so many validations without a lower loss of validation.replay; the best model is kept'),
  })
  .refine((rules) => Object.values(rules).some((rule) => rule !== undefined), {
    message: 'at least one of maxPerplexityRise, maxKeptFall, forgetP and patience',
  })
  .describe('rules that end a run before its last step');

const NEEDS = { maxPerplexityRise: 'replay', maxKeptFall: 'kept', forgetP: 'forget', patience: 'replay' } as const;
const EXAMPLES = { replay: 'data/natural/heldout', forget: 'data/synthetic/heldout', kept: 'data/synthetic/heldout' };

/** The keys of a recipe that validation and stopping depend on. */
interface Validated {
  stage: string;
  data: { replay: { shards: string }[] };
  validation?: Validation;
  stop?: z.output<typeof stopSchema>;
}

/** Tells what the sections `validation` and `stop` need of each other and of the rest of the recipe. */
export function checkValidation(recipe: Validated, context: z.core.$RefinementCtx): void {
  const { validation, stop = {}, data, stage } = recipe;
  const complain = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  for (const rule of Object.keys(NEEDS) as (keyof typeof NEEDS)[]) {
    const role = NEEDS[rule];
    if (stop[rule] === undefined || (validation?.[role]?.length ?? 0) > 0) continue;
    complain(['validation', role], `shards that stop.${rule} is decided by, such as [{ shards: ${EXAMPLES[role]} }]`);
  }
  if (stop.patience !== undefined && stage === 'unlearn') {
    complain(
      ['stop', 'patience'],
      'no patience when unlearning, which does not lower the held-out loss: use maxPerplexityRise or forgetP',
    );
  }
  for (const role of typeof validation?.rows === 'object' ? (Object.keys(validation.rows) as Role[]) : []) {
    if ((validation![role]?.length ?? 0) === 0)
      complain(['validation', 'rows', role], `no number, or shards for these rows in validation.${role}`);
  }
  const trained = new Set(data.replay.map(({ shards }) => resolve(shards)));
  for (const [i, { shards }] of (validation?.replay ?? []).entries()) {
    if (!trained.has(resolve(shards))) continue;
    complain(
      ['validation', 'replay', String(i), 'shards'],
      'shards that the run does not train on (`lethe prepare --held-out` makes them)',
    );
  }
}
