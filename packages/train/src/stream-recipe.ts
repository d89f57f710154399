import { z } from 'zod';

/** One source of token rows in a recipe. */
export const streamSchema = z
  .strictObject({
    shards: z.string().describe('folder with index.json, written by `lethe prepare`'),
    proportion: z
      .number()
      .positive()
      .default(1)
      .describe('weight of this stream among the streams of its role: rows are shared in these proportions'),
  })
  .describe('one source of token rows');

/** One source of replay rows. */
export const replaySchema = streamSchema.extend({
  held: z
    .boolean()
    .optional()
    .describe(
      'whether the mitigation term holds these rows to the frozen model, in unlearning; false: they are only learned from, and another source is held (default: true)',
    ),
});
