import { isHubLocation, parseHubLocation } from '@lethe/data-pipeline';
import { type AdapterBase, adaptedLayers, type LlamaConfig, LORA_TARGETS, type LoraSettings } from '@lethe/model';
import { UserError } from '@lethe/run';
import { z } from 'zod';

/** `model.lora` of a training recipe. */
export const loraSchema = z
  .strictObject({
    rank: z.int().positive().default(16).describe('width of the two matrices of a layer'),
    alpha: z
      .number()
      .positive()
      .optional()
      .describe("the change of a weight is alpha / rank times the matrices' product; default: twice the rank"),
    targets: z
      .array(z.enum(LORA_TARGETS))
      .min(1)
      .default([...LORA_TARGETS])
      .describe('which linear layers of each decoder layer change'),
    dropout: z
      .number()
      .refine(
        (value) => value === 0,
        '0 only: Lethe has no dropout, so that a run that goes on is the run that never stopped',
      )
      .optional()
      .describe('0; here so that recipes of other programs are told what is not done'),
  })
  .refine(({ targets }) => new Set(targets).size === targets.length, { path: ['targets'], message: 'each target once' })
  .describe(
    'train a low-rank adapter (LoRA) and leave the checkpoint as it is (docs/training.md); default: train all weights',
  );

/** What the recipe says of its adapter; undefined where it trains all weights. */
export function loraOf({
  model: { lora },
}: {
  model: { lora?: z.output<typeof loraSchema> };
}): LoraSettings | undefined {
  return lora && { rank: lora.rank, alpha: lora.alpha ?? 2 * lora.rank, targets: lora.targets };
}

/** A start model as peft finds it. */
export function baseOf(init: string): AdapterBase {
  return isHubLocation(init) ? parseHubLocation(init, 'model') : { name: init };
}

/** @throws UserError where a layer's weight is narrower than the rank: the adapter would be larger and could do no more. */
export function requireRank(settings: LoraSettings, config: LlamaConfig): void {
  for (const { name, shape } of adaptedLayers(config, settings.targets)) {
    const most = Math.min(...shape);
    if (settings.rank <= most) continue;
    throw new UserError(
      `model.lora.rank: expected at most ${most}, the smaller side of ${name} [${shape.join(', ')}], received ${settings.rank}`,
    );
  }
}
