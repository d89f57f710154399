import { loadRecipe, UsageError } from '@lethe/run';
import { DEVICE_NAMES } from '@lethe/tensor';
import { z } from 'zod';

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `30m`, `90s`, `2h` or `1d` in seconds; undefined for anything else. */
export function durationSeconds(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  return number !== undefined && Number(number) > 0 ? Number(number) * UNITS[unit] : undefined;
}

const files = z.union([z.string(), z.array(z.string()).min(1)]).transform((of) => (typeof of === 'string' ? [of] : of));

/** Fine-tuning runs of each model: one tells little, for runs of one model differ. */
export const FINETUNE_RUNS = 3;

/** What a recipe of `lethe repair` may say; each key is the flag of the same name. */
export const repairSettingsSchema = z.strictObject({
  model: z.string().describe('checkpoint folder, or hf://OWNER/NAME, of the model'),
  synthetic: files.describe('the synthetic text it was trained on: files, or a folder of shards'),
  natural: files.describe('ordinary text of the kinds that it is to keep: files, or shards'),
  base: z.string().optional().describe('the model from before the synthetic text'),
  instructions: files.optional().describe('JSONL of instructions that rules check, scored before and after'),
  eval: z.string().optional().describe('recipe of `lethe eval`: its benchmarks before and after, item by item'),
  finetune: z
    .string()
    .optional()
    .describe('recipe of `lethe finetune`: instructions and benchmarks are asked of copies that it fine-tunes'),
  finetuneRuns: z.int().positive().optional().describe(`such copies of each model (default: ${FINETUNE_RUNS})`),
  budget: z
    .string()
    .refine((text) => durationSeconds(text) !== undefined, { message: 'a time such as 30m, 90s, 2h or 1d' })
    .optional()
    .describe('what training may take'),
  tokens: z.int().positive().optional().describe('the same in tokens'),
  out: z.string().optional().describe('folder of the repair'),
  anyway: z.boolean().optional().describe('train even where the verdict does not advise it'),
  device: z
    .enum([...DEVICE_NAMES])
    .optional()
    .describe('where to compute'),
  precision: z.enum(['fp32', 'bf16']).optional().describe('default: bf16 where the processor has it'),
  threads: z.int().positive().optional().describe('CPU threads (default: all cores)'),
});

export type RepairSettings = z.output<typeof repairSettingsSchema>;

/**
 * What a recipe and flags say together; a flag goes before its key.
 * @throws UsageError where model or texts are named by neither, or fine-tuning has nothing to ask; RecipeError where the recipe is wrong.
 */
export function repairSettings(recipe: string | undefined, flags: Partial<RepairSettings>): RepairSettings {
  const read = recipe === undefined ? {} : loadRecipe(recipe, repairSettingsSchema.partial()).recipe;
  const settings = { ...read, ...flags };
  const missing = (['model', 'synthetic', 'natural'] as const).filter((key) => settings[key] === undefined);
  if (missing.length > 0)
    throw new UsageError(
      `repair: expected ${missing.map((key) => `--${key}`).join(', ')}, or a recipe with ${missing.join(', ')}; ` +
        '`lethe init` writes one after looking at a model and its texts',
    );
  const { finetune, finetuneRuns, instructions, eval: benchmarks } = settings;
  if (finetune !== undefined && instructions === undefined && benchmarks === undefined)
    throw new UsageError('--finetune: expected --instructions or --eval beside it, which fine-tuned models are asked');
  if (finetune === undefined && finetuneRuns !== undefined)
    throw new UsageError('--finetune-runs: expected --finetune RECIPE beside it');
  return settings as RepairSettings;
}
