import { join } from 'node:path';
import { checkpointFolder, loadTokenizer } from '@lethe/data-pipeline';
import { countParameters, readConfig } from '@lethe/model';
import type { Logger } from '@lethe/run';
import { stringify } from 'yaml';
import { learningRates } from './plan.js';
import type { RepairSettings } from './repair-settings.js';
import { sizeOfSources } from './sources.js';

const MEGA = 1e6;

/** What a model and its texts look like, for comments. */
interface Seen {
  model: string;
  texts: Record<'synthetic' | 'natural', string>;
  lrs: number[];
}

/** Looks at a model and at files. @throws UserError where one of them is missing or cannot be read. */
async function look({ model, base, synthetic, natural }: RepairSettings, logger: Logger): Promise<Seen> {
  const folder = await checkpointFolder(model, logger);
  const { config } = readConfig(join(folder, 'config.json'));
  const { vocabSize } = await loadTokenizer(folder);
  if (base !== undefined) readConfig(join(await checkpointFolder(base, logger), 'config.json'));
  const { hiddenSize, numLayers, maxPositions } = config;
  const parameters = (countParameters(config) / MEGA).toPrecision(3);
  const sizes = `${numLayers} layers of ${hiddenSize}, context ${maxPositions}, vocabulary ${vocabSize}`;
  return {
    model: `${parameters} M parameters: ${sizes}`,
    texts: { synthetic: (await sizeOfSources(synthetic)).text, natural: (await sizeOfSources(natural)).text },
    lrs: learningRates(config),
  };
}

const set = (key: string, value: unknown): string => stringify({ [key]: value }).trimEnd();
/** A key that is set, or its comment with an example. */
const optional = (key: string, value: unknown, example: unknown): string =>
  value === undefined ? set(key, example).replaceAll(/^/gm, '# ') : set(key, value);

/**
 * A recipe of `lethe repair` with comments, after a look at the model and the texts.
 * @throws UserError where one of them is missing or cannot be read.
 */
export async function settingsText(settings: RepairSettings, logger: Logger): Promise<string> {
  const seen = await look(settings, logger);
  const { model, synthetic, natural, base, instructions, eval: benchmarks, finetune, budget, tokens, out } = settings;
  return `# lethe repair repair.yaml: is this model damaged, can it be repaired, at what price? (docs/repair.md)
# Flags go before what stands here. --dry-run tells steps, memory and minutes, and does nothing.

# The model: ${seen.model}
${set('model', model)}
# The synthetic text it was trained on: ${seen.texts.synthetic}
${set('synthetic', synthetic)}
# Ordinary text of all kinds that the model is to keep: ${seen.texts.natural}
${set('natural', natural)}

# The model from before the synthetic text, if you have it: the verdict then asks what that text changed.
${optional('base', base, 'models/base')}
# Instructions that rules check, and benchmarks of lethe eval: scored before and after, item by item.
${optional('instructions', instructions, ['instructions.jsonl'])}
${optional('eval', benchmarks, 'eval.yaml')}
# Where the model is pre-trained only: a recipe of lethe finetune, by which copies are fine-tuned that these are asked of.
${optional('finetune', finetune, 'finetune.yaml')}

# What training may take, as a time or in tokens. Without one: 40 steps for each of six settings at the learning rates
# ${[...seen.lrs, 5e-5].join(', ')}, and as many as the choice needs.
${optional('budget', budget, '30m')}
${optional('tokens', tokens, 2_000_000)}

# The folder of the repair: report.html, repair.json, and model/ where the verdict allows it.
${set('out', out ?? join('runs', 'repair'))}
`;
}
