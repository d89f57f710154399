import { basename, resolve } from 'node:path';
import { type Logger, VERSION } from '@lethe/run';
import { stringify } from 'yaml';
import { type CardSource, readCardSource, SOURCE_CARD } from './card-source.js';
import {
  dataSection,
  evaluationSection,
  lineageSection,
  lossSection,
  recipeSection,
  versionSection,
} from './card-sections.js';
import { type Lineage, lineageOf } from './lineage.js';

/** A model that is exported. */
export interface CardSubject {
  /** The folder that is exported. */
  folder: string;
  /** As the user names it: a folder, or `hf://owner/name`. */
  location: string;
  /** Folder of a LoRA adapter that is merged into it. */
  adapter?: string;
  dtype: string;
}

/**
 * The model card of an export, and the card of its source where there is one, by file name. All of it comes from the
 * manifests, metrics and results of the runs behind the model.
 */
export async function modelCard(subject: CardSubject, logger: Logger): Promise<Record<string, string>> {
  const ofAdapter = subject.adapter === undefined ? undefined : lineageOf(subject.adapter);
  const lineage = ofAdapter && ofAdapter.runs.length > 0 ? ofAdapter : lineageOf(subject.folder);
  const origin = lineage.runs.length === 0 ? subject.location : lineage.origin;
  const source = origin === undefined ? {} : await readCardSource(origin, logger);
  const last = lineage.runs.at(-1);
  const sections = [
    `# ${last?.recipe.name ?? basename(source.hubName ?? resolve(subject.location))}`,
    summary(lineage, subject, source),
    lineageSection(lineage, source),
    ...(last
      ? [recipeSection(last), dataSection(lineage), lossSection(lineage), evaluationSection(last), versionSection(last)]
      : []),
  ];
  const card = `---\n${stringify(frontMatter(lineage, source))}---\n\n${sections.filter(Boolean).join('\n\n')}\n`;
  return { 'README.md': card, ...(source.text === undefined ? {} : { [SOURCE_CARD]: source.text }) };
}

function frontMatter({ runs }: Lineage, source: CardSource): Record<string, unknown> {
  const datasets = [...new Set(runs.flatMap(({ manifest }) => manifest.data?.flatMap((data) => data.datasets) ?? []))];
  const { license, licenseName, licenseLink, hubName } = source;
  return {
    library_name: 'transformers',
    pipeline_tag: 'text-generation',
    ...(license && { license }),
    ...(licenseName && { license_name: licenseName }),
    ...(licenseLink && { license_link: licenseLink }),
    ...(hubName && { base_model: hubName, ...(runs.length > 0 && { base_model_relation: 'finetune' }) }),
    ...(datasets.length > 0 && { datasets }),
    tags: ['lethe', ...new Set(runs.map(({ recipe }) => recipe.stage))],
  };
}

const STAGES = {
  pretrain: 'trained on next tokens',
  unlearn: 'made to forget the pattern of synthetic training data, with a lower-bounded forgetting loss and replay',
  refine: 'trained further on natural data',
  finetune: 'trained on instructions',
};

function summary({ runs }: Lineage, { dtype, adapter }: CardSubject, source: CardSource): string {
  const from = source.hubName ? ` from ${source.hubName}` : '';
  const made = runs.map(({ recipe }) => STAGES[recipe.stage]);
  const what = made.length === 0 ? `A checkpoint${from}` : `A Llama-like model${from}, ${made.join('; then ')}`;
  const merged = adapter === undefined ? '' : `, with the LoRA adapter ${basename(adapter)} merged into its weights`;
  return `${what}${merged}. Exported by Lethe ${VERSION} as ${dtype}; this card was made from the files of its runs.`;
}
