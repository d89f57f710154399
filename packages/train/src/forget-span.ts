import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type MaskedShards,
  maskShards,
  readShardIndex,
  sampleDocuments,
  type StoredDocument,
  TemplateFinder,
  type Tokenizer,
} from '@lethe/data-pipeline';
import { readJsonFile, UserError, writeFolderAtomically, writeText } from '@lethe/run';
import { answerMarker } from './answer-marker.js';
import type { TrainRecipe } from './recipe.js';

/** Which tokens of a folder of synthetic shards are forgotten, for the manifest. */
export interface ForgetSpan extends MaskedShards {
  /** The folder as the recipe names it. */
  shards: string;
  span: 'answer' | 'template';
  /** targets / tokens. */
  share: number;
  /** What the marks were found with. */
  settings: object;
  /** Documents that share what counts as template, at least. */
  threshold?: number;
}

type Streams = TrainRecipe['data']['forget'];

/** Tokens of each kind of text that a template is looked for in, at most. */
const SAMPLE_TOKENS = 5_000_000;
/** Shares of the template outside of these are told. */
const [LEAST_SHARE, MOST_SHARE] = [0.02, 0.9];
/** Bumped when marks come out otherwise for the same data and settings. */
const VERSION = 1;

/** A recipe whose forget shards have the span as their targets, and what was found. */
export interface SpannedRecipe {
  recipe: TrainRecipe;
  spans: ForgetSpan[];
}

/**
 * Applies `objective.forgetSpan`: copies of the forget shards, of training and of validation, in `folder`, whose targets are
 * the span's. What is there of the same data and settings is used again.
 * @throws UserError where the data has no such span, with the remedy.
 */
export async function applyForgetSpan(
  recipe: TrainRecipe,
  { folder, tokenizer }: { folder: string; tokenizer: Tokenizer | undefined },
): Promise<SpannedRecipe> {
  const { forgetSpan } = recipe.objective;
  if (recipe.stage !== 'unlearn' || forgetSpan === 'all') return { recipe, spans: [] };
  const { forget } = recipe.data;
  const held = recipe.validation?.forget ?? [];
  const marking = forgetSpan === 'template' ? templateMarking(recipe, tokenizer) : answerMarking(recipe, tokenizer);
  const spans: ForgetSpan[] = [];
  const replaced = async (streams: Streams, name: string): Promise<Streams> => {
    const spanned: Streams = [];
    for (const [i, stream] of streams.entries()) {
      const to = join(folder, `${name}-${i}`);
      spans.push(await markedOnce(stream.shards, to, { span: forgetSpan, ...marking }));
      spanned.push({ ...stream, shards: join(to, 'shards') });
    }
    return spanned;
  };
  const data = { ...recipe.data, forget: await replaced(forget, 'forget') };
  const validation = recipe.validation && { ...recipe.validation, forget: await replaced(held, 'held-out') };
  return { recipe: { ...recipe, data, validation }, spans };
}

/** What a run that forgets a span should tell of it. */
export function spanWarnings(spans: readonly ForgetSpan[]): string[] {
  return spans.flatMap(({ shards, span, share, documents, documentsWithTargets }) => {
    const percent = `${(100 * share).toFixed(1)}%`;
    if (span === 'answer')
      return documentsWithTargets >= documents / 2
        ? []
        : [`${shards}: only ${documentsWithTargets} of ${documents} documents have an answer to forget`];
    if (share < LEAST_SHARE)
      return [`${shards}: only ${percent} of the tokens belong to a template; there is little to forget`];
    if (share > MOST_SHARE)
      return [
        `${shards}: ${percent} of the tokens belong to a template: natural data of the same kinds of text would tell what they say from how they say it`,
      ];
    return [];
  });
}

/** @throws UserError where the shards cannot have the recipe's span; reads their indexes only. */
export async function checkForgetSpan(recipe: TrainRecipe, tokenizer: Tokenizer | undefined): Promise<void> {
  if (recipe.stage !== 'unlearn' || recipe.objective.forgetSpan !== 'answer') return;
  const { problem } = answerMarking(recipe, tokenizer);
  for (const { shards } of [...recipe.data.forget, ...(recipe.validation?.forget ?? [])]) {
    const wrong = problem?.(shards, (await readShardIndex(shards)).hasTargetsMask);
    if (wrong) throw new UserError(wrong);
  }
}

interface Marking {
  settings: object;
  /** Shards that the marks depend on beside those that are marked. */
  reference: string[];
  /** Makes the function that marks documents, when it is needed. */
  open(): Promise<{ mark: (document: StoredDocument) => Uint8Array; threshold?: number }>;
  /** Why shards cannot be marked. */
  problem?(shards: string, hasMask: boolean): string | undefined;
  /** What to say where nothing is left to forget. */
  remedy: string;
}

function templateMarking({ objective, data }: TrainRecipe, tokenizer: Tokenizer | undefined): Marking {
  const { template: settings } = objective;
  const forget = data.forget.map(({ shards }) => shards);
  const replay = data.replay.map(({ shards }) => shards);
  let finder: TemplateFinder | undefined;
  const open = async (): ReturnType<Marking['open']> => {
    finder ??= await findTemplate({ synthetic: forget, natural: replay, tokenizer }, settings);
    return { mark: ({ ids }) => finder!.mark(ids), threshold: finder.threshold };
  };
  const remedy = 'lower objective.template.minDocuments or minLogOdds, or use forgetSpan: all';
  return { settings, reference: [...forget, ...replay], open, remedy };
}

/** Fits a finder to shards of both kinds. @throws UserError where one has no tokens. */
export async function findTemplate(
  from: { synthetic: readonly string[]; natural: readonly string[]; tokenizer: Tokenizer | undefined },
  settings: TrainRecipe['objective']['template'],
): Promise<TemplateFinder> {
  const [synthetic, natural] = [
    await sampleDocuments(from.synthetic, SAMPLE_TOKENS),
    await sampleDocuments(from.natural, SAMPLE_TOKENS),
  ];
  for (const [documents, folders] of [
    [synthetic, from.synthetic],
    [natural, from.natural],
  ] as const)
    if (documents.length === 0)
      throw new UserError(`${folders.join(', ')}: no documents to tell a template from; prepare data first`);
  const ends = await Promise.all([...from.synthetic, ...from.natural].map((folder) => readShardIndex(folder)));
  const specialIds = [...ends.map(({ eosId }) => eosId), ...specialOf(from.tokenizer)];
  return new TemplateFinder({ synthetic, natural, specialIds }, settings);
}

function specialOf(tokenizer: Tokenizer | undefined): number[] {
  if (!tokenizer) return [];
  return Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
    (id) => tokenizer.specialText(id) !== undefined,
  );
}

function answerMarking({ objective }: TrainRecipe, tokenizer: Tokenizer | undefined): Marking {
  const { answerMarker: marker } = objective;
  const remedy =
    marker === undefined
      ? 'use forgetSpan: all'
      : `expected the answer marker ${JSON.stringify(marker)} in the documents; give objective.answerMarker what stands before their answers`;
  return {
    settings: { marker },
    reference: [],
    remedy,
    problem: (shards, hasMask) => {
      if (hasMask || (marker !== undefined && tokenizer)) return undefined;
      const why = tokenizer
        ? 'the shards do not say where an answer begins: give objective.answerMarker what stands before it, such as "**Answer:**", or prepare them with --as chat'
        : 'a text cannot be searched for answers without the tokenizer: give model.init or model.tokenizer one';
      return `${shards}: forgetSpan: answer: ${why}`;
    },
    open: async () => {
      const after = marker !== undefined && tokenizer ? await answerMarker(marker, tokenizer) : undefined;
      return { mark: ({ ids, mask }) => mask?.slice() ?? after!(ids) };
    },
  };
}

/** The marked copy of one folder in `to`: made, or found whole from the same data and settings. */
async function markedOnce(
  shards: string,
  to: string,
  { span, settings, reference, open, remedy }: Marking & { span: ForgetSpan['span'] },
): Promise<ForgetSpan> {
  const hash = createHash('sha256').update(JSON.stringify({ version: VERSION, span, settings, SAMPLE_TOKENS }));
  for (const folder of [shards, ...reference]) hash.update(readFileSync(join(folder, 'index.json')));
  const key = hash.digest('hex');
  const file = join(to, 'span.json');
  if (existsSync(file)) {
    const { key: known, ...found } = readJsonFile(file) as ForgetSpan & { key: string };
    if (known === key) return { ...found, shards };
  }
  const { mark, threshold } = await open();
  let found: ForgetSpan | undefined;
  await writeFolderAtomically(
    to,
    async (temporary) => {
      const masked = await maskShards(shards, join(temporary, 'shards'), mark);
      if (masked.targets === 0)
        throw new UserError(
          `${shards}: no token belongs to forgetSpan: ${span}, so nothing would be forgotten; ${remedy}`,
        );
      const share = masked.targets / masked.tokens;
      found = { shards, span, share, ...masked, settings, ...(threshold !== undefined && { threshold }) };
      writeText(join(temporary, 'span.json'), `${JSON.stringify({ key, ...found }, null, 2)}\n`);
    },
    { replace: true },
  );
  return found!;
}
