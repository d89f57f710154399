import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readShardIndex, type Tokenizer } from '@lethe/data-pipeline';
import { type Logger, UserError } from '@lethe/run';
import { prepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { runPrepare } from '../preparation/run-prepare.js';
import { divideShards } from './divide-shards.js';
import { isSplitShards, isWholeShards, requireOneForm } from './sources.js';

export type Kind = 'synthetic' | 'natural';
export type Part = 'train' | 'select' | 'report';

/** Shards of one kind of text: what is learned from, what settings are chosen by, and what is reported. */
export interface KindShards extends Record<Part, string> {
  documents: Record<Part, number>;
}

export type RepairData = Record<Kind, KindShards>;

/** Of held-out documents, the share that settings are chosen by; the others are reported. */
const SELECT_SHARE = 0.4;
/** Held-out documents of each kind: with fewer than the first more are held out, with fewer than the second there is no verdict. */
const [WANTED_HELD_OUT, FEWEST_HELD_OUT] = [150, 30];
/** Shares of documents that are held out, the first one that gives enough. */
const HELD_OUT_SHARES = [0.05, 0.12, 0.25];

/** The files of one kind, and where its shards go. */
interface KindSources {
  kind: Kind;
  sources: readonly string[];
  folder: string;
}

interface Preparing {
  tokenizer: Tokenizer;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * The shards of one kind: made from files, or taken as they are. Held-out documents are divided once more, so that what
 * chooses settings is not what is reported; those that choose end with a row of `rowLength` tokens, as those that are reported
 * do: pieces from further on, without the document's beginning, lose up to 2% less of perplexity than beginnings.
 * @throws UserError where there is too little text, with the remedy.
 */
export async function repairData(
  given: KindSources,
  { rowLength, ...preparing }: Preparing & { rowLength: number },
): Promise<KindShards> {
  const { kind, sources, folder } = given;
  requireOneForm(sources);
  const only = sources[0]!;
  const to = join(folder, 'parts');
  const longest = { select: rowLength };
  if (isWholeShards(only)) {
    const shares = { train: 0.8, select: 0.2 * SELECT_SHARE, report: 0.2 * (1 - SELECT_SHARE) };
    const documents = await divideShards(only, to, { shares, longest });
    return checked({ ...inFolders(to), documents: documents as KindShards['documents'] }, given);
  }
  const prepared = isSplitShards(only) ? only : await preparedFolder(given, preparing);
  if (!existsSync(join(prepared, 'heldout', 'index.json')))
    throw new UserError(
      `--${kind} ${prepared}: no held-out documents; prepare it with \`lethe prepare --held-out 0.1\``,
    );
  const shares = { select: SELECT_SHARE, report: 1 - SELECT_SHARE };
  const held = await divideShards(join(prepared, 'heldout'), to, { shares, longest });
  const train = join(prepared, 'train');
  const { documents } = await readShardIndex(train);
  const numbers = { train: documents, select: held.select, report: held.report };
  return checked({ ...inFolders(to), train, documents: numbers }, given);
}

const inFolders = (to: string): Record<Part, string> => ({
  train: join(to, 'train'),
  select: join(to, 'select'),
  report: join(to, 'report'),
});

/** Prepares files, holding out more where little is left aside. */
async function preparedFolder(
  { kind, sources, folder }: KindSources,
  { tokenizer, logger, signal }: Preparing,
): Promise<string> {
  const out = join(folder, 'prepared');
  logger.info(`preparing ${kind} text of ${sources.join(', ')}`);
  for (const heldOut of HELD_OUT_SHARES) {
    const recipe = prepareRecipeSchema.parse({ sources, out, tokenizer: tokenizer.folder, heldOut });
    const { report } = await runPrepare(recipe, { logger, signal });
    const { wrongRows, splits } = report;
    if (wrongRows.count > 0)
      logger.warn(`--${kind}: ${wrongRows.count} rows could not be read: ${wrongRows.examples[0]}`);
    if ((splits.heldout?.documents ?? 0) >= WANTED_HELD_OUT) break;
  }
  return out;
}

function checked(shards: KindShards, { kind, sources }: KindSources): KindShards {
  const { train, select, report } = shards.documents;
  if (select + report < FEWEST_HELD_OUT || train < FEWEST_HELD_OUT)
    throw new UserError(
      `--${kind} ${sources.join(' ')}: expected at least ${2 * FEWEST_HELD_OUT} documents, ${FEWEST_HELD_OUT} of them held out, received ${train} and ${select + report} held out; ` +
        'give more text, and one document a row (a text file is one document)',
    );
  return shards;
}
