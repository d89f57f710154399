import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isHubLocation, modelFolder, parseHubLocation } from '@lethe/data-pipeline';
import type { Logger } from '@lethe/run';
import { parse } from 'yaml';

/** What the card of the checkpoint at the start of a lineage tells. */
export interface CardSource {
  /** `owner/name`, if it is on the hub. */
  hubName?: string;
  commit?: string;
  license?: string;
  licenseName?: string;
  licenseLink?: string;
  /** The card itself. */
  text?: string;
}

/** Name of the file in which the card of the source is kept. */
export const SOURCE_CARD = 'SOURCE-README.md';

/** Reads the card of a checkpoint: a folder, or a model on the hub. What is not there, or cannot be had, is left out. */
export async function readCardSource(location: string, logger: Logger): Promise<CardSource> {
  const onHub = isHubLocation(location) ? parseHubLocation(location, 'model') : undefined;
  const [, owner, name, commit] = /models--([\w.-]+?)--([\w.-]+)[/\\]snapshots[/\\]([0-9a-f]{40})/.exec(location) ?? [];
  const hub = onHub
    ? { hubName: onHub.name, commit: onHub.revision }
    : owner && { hubName: `${owner}/${name}`, commit };
  const folder = await modelFolder(location, { weights: false }).catch((error: Error) => {
    logger.warn(`the card of ${location} is not known: ${error.message}`);
    return undefined;
  });
  const files = ['README.md', SOURCE_CARD].map((file) => join(folder ?? '.', file));
  const file = folder === undefined ? undefined : files.find((one) => existsSync(one));
  if (file === undefined) return { ...hub };
  const text = readFileSync(file, 'utf8');
  const { license, license_name: licenseName, license_link: licenseLink } = frontMatter(text, file, logger);
  const known = Object.entries({ license, licenseName, licenseLink }).filter(([, value]) => typeof value === 'string');
  return { ...hub, text, ...(Object.fromEntries(known) as Partial<CardSource>) };
}

function frontMatter(text: string, file: string, logger: Logger): Record<string, unknown> {
  const [, yaml] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text) ?? [];
  try {
    return ((yaml && parse(yaml)) || {}) as Record<string, unknown>;
  } catch (error) {
    logger.warn(`${file}: its front matter is not YAML: ${(error as Error).message}`);
    return {};
  }
}
