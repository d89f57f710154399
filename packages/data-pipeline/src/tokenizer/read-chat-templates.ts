import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { TokenizerError } from './tokenizer-core.js';

const FILE = 'chat_template.jinja';
/** The folder of further templates, each NAME.jinja. */
export const ADDITIONAL_TEMPLATES = 'additional_chat_templates';

/**
 * The chat templates of a model by name, as transformers finds them: `chat_template.jinja` (`default`) and
 * `additional_chat_templates/NAME.jinja`, and only without these what tokenizer_config.json says, one or a list.
 * @throws TokenizerError when a file cannot be read or the list is malformed.
 */
export async function readChatTemplates(folder: string, configured: unknown): Promise<ReadonlyMap<string, string>> {
  const templates = new Map<string, string>();
  const single = await readText(path.join(folder, FILE));
  if (single !== undefined) templates.set('default', single);
  for (const name of await namesIn(path.join(folder, ADDITIONAL_TEMPLATES))) {
    const text = await readText(path.join(folder, ADDITIONAL_TEMPLATES, name));
    if (text !== undefined) templates.set(path.basename(name, '.jinja'), text);
  }
  if (templates.size > 0) return templates;
  if (typeof configured === 'string') return new Map([['default', configured]]);
  if (configured === undefined || configured === null) return templates;
  return new Map(configuredList(configured, folder));
}

function configuredList(value: unknown, folder: string): [string, string][] {
  const isMapping = !Array.isArray(value) && typeof value === 'object';
  const entries: unknown[] = isMapping
    ? Object.entries(value as object).map(([name, template]) => ({ name, template: template as unknown }))
    : Array.isArray(value)
      ? value
      : [undefined];
  return entries.map((entry) => {
    const { name, template } = (entry ?? {}) as { name?: unknown; template?: unknown };
    if (typeof name === 'string' && typeof template === 'string') return [name, template];
    throw new TokenizerError(
      `${folder}: chat_template of tokenizer_config.json: expected a text, or a list of {name, template}`,
    );
  });
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(absent);
  return (names ?? []).filter((name) => name.endsWith('.jinja')).sort();
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(absent);
}

/** What is not there is no template; all else is an error. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
