import { DEFAULT_FILTERS, type FilterReport, type PrepareResult } from '@lethe/data-pipeline';
import { describeIssues, listenForStop, loadRecipe, type Logger, EXIT_CODES, UsageError, UserError } from '@lethe/run';
import { type Command, Option } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { shellWords } from '../command-line/shell-words.js';
import { intoList } from '../command-line/repeatable-options.js';
import { integer, positiveInteger, shareBelowOne, threadCount } from '../command-line/number-options.js';
import { partialPrepareRecipeSchema, type PrepareRecipe, prepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { runPrepare } from '../preparation/run-prepare.js';

interface PrepareFlags {
  recipe?: string;
  set: string[];
  out?: string;
  tokenizer?: string;
  trainTokenizer?: number;
  as?: 'text' | 'chat' | 'ids';
  specialTokens?: 'text' | 'parse';
  heldOut?: number;
  seed?: number;
  threads?: number;
  strict?: boolean;
  filter: string[];
  overlap: string[];
  force?: boolean;
}

/** `lethe prepare`: text to shards. */
export function addPrepareCommand(program: Command, context: CliContext): void {
  program
    .command('prepare')
    .description('turn text, JSONL, JSON, CSV, Parquet or Arrow files into tokenized shards, with a held-out split')
    .argument('[sources...]', 'files, folders, globs, or - for standard input')
    .option('--recipe <file>', 'YAML recipe, in place of or besides the flags')
    .option('--set <key=value>', 'change one key of the recipe; repeatable', intoList, [])
    .option('--out <dir>', 'folder to write')
    .option('--tokenizer <dir>', 'folder (or file) of a Hugging Face tokenizer.json')
    .option(
      '--train-tokenizer <size>',
      'train a BPE tokenizer of this vocabulary on the sources instead',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--as <kind>',
        'text: every token is a target; chat: assistant turns only; ids: rows that are token ids already',
      ).choices(['text', 'chat', 'ids']),
    )
    .addOption(
      new Option(
        '--special-tokens <how>',
        'with --as text: text that spells a special token stays text, or is parsed as that token (default: text)',
      ).choices(['text', 'parse']),
    )
    .option('--held-out <fraction>', 'share of documents kept from training (default: 0.01)', shareBelowOne)
    .option('--seed <n>', 'decides which documents are held out', integer)
    .addOption(
      new Option('--filter <name>', 'leave documents out by this filter with its defaults; repeatable')
        .choices(DEFAULT_FILTERS)
        .argParser(intoList)
        .default([]),
    )
    .option('--overlap <set>', 'list n-grams shared with this evaluation set; repeatable', intoList, [])
    .option('--threads <n>', 'CPU threads that tokenize (default: all cores)', threadCount)
    .option('--strict', 'stop at the first row that cannot be read')
    .option('--force', 'prepare again even if the same preparation is there')
    .action(async (sources: string[], flags: PrepareFlags) => {
      const recipe = resolve(sources, flags);
      const logger = context.logger();
      const abort = new AbortController();
      const again = `run the same command to go on: npx lethe ${shellWords(process.argv.slice(2))}`;
      const stop = listenForStop((signal) =>
        abort.abort(new UserError(`${signal}: stopped; ${recipe.out} holds no finished shards; ${again}`)),
      );
      try {
        report(await runPrepare(recipe, { logger, signal: abort.signal, force: flags.force }), logger);
      } catch (error) {
        if (!stop.requested) throw error;
        logger.endProgress();
        logger.warn((error as Error).message);
        context.exitCode = EXIT_CODES[stop.requested];
      } finally {
        stop.dispose();
      }
    });
}

/** Flags win over the recipe. */
function resolve(sources: string[], flags: PrepareFlags): PrepareRecipe {
  const base = flags.recipe
    ? loadRecipe(flags.recipe, partialPrepareRecipeSchema, { set: flags.set }).recipe
    : undefined;
  if (!flags.recipe && flags.set.length > 0) throw new UsageError('--set changes keys of a recipe: give --recipe');
  const from = sources.length > 0 ? sources : base?.sources;
  const out = flags.out ?? base?.out;
  if (!from || from.length === 0)
    throw new UsageError('nothing to prepare: name source files, or a --recipe with sources');
  if (!out) throw new UsageError('where to? give --out DIR, or out: DIR in the recipe');
  const chosen = flags.trainTokenizer ? { train: { vocabSize: flags.trainTokenizer } } : flags.tokenizer;
  const tokenizer = chosen ?? base?.tokenizer;
  if (!tokenizer) throw new UsageError('give --tokenizer DIR, or --train-tokenizer SIZE to make one from the sources');
  const { as, seed, heldOut, threads, strict, specialTokens } = flags;
  const given = { as, seed, heldOut, threads, strict, specialTokens };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const filters = filtersFrom(flags, base?.filters);
  const values = { ...base, ...set, filters, sources: from, out, tokenizer };
  const checked = prepareRecipeSchema.safeParse(values, { reportInput: true });
  if (checked.success) return checked.data;
  throw new UserError(describeIssues(checked.error.issues, values).join('\n'));
}

function filtersFrom({ filter, overlap }: PrepareFlags, base: PrepareRecipe['filters']): PrepareRecipe['filters'] {
  const names = DEFAULT_FILTERS.filter((name) => filter.includes(name));
  const wrong = filter.find((name) => !names.some((known) => known === name));
  if (wrong !== undefined)
    throw new UsageError(`--filter: expected one of ${DEFAULT_FILTERS.join(', ')}, received ${wrong}`);
  if (filter.length === 0 && overlap.length === 0) return base;
  const named = Object.fromEntries(names.map((name) => [name, base?.[name] ?? true]));
  return { ...base, ...named, ...(overlap.length > 0 ? { overlap: { ...base?.overlap, sets: overlap } } : {}) };
}

function report({ report: done, isSkipped, numResumed }: PrepareResult, logger: Logger): void {
  if (numResumed > 0) logger.info(`went on after the ${numResumed} documents of an interrupted preparation`);
  if (isSkipped) logger.info('the same preparation is there already; --force makes it again');
  for (const { file, format, documents, wrongRows, skipped, repeats } of done.files) {
    if (skipped) logger.warn(`${file}: skipped, ${skipped}`);
    else logger.info(`${file}: ${format}, ${documents} documents${wrongRows ? `, ${wrongRows} wrong rows` : ''}`);
    if (repeats) logger.warn(`${file}: was read for ${repeats} as well, so that its documents count once more`);
  }
  if (done.wrongRows.count > 0) {
    logger.warn(`${done.wrongRows.count} rows could not be used; all are listed in wrong-rows.jsonl, the first:`);
    for (const example of done.wrongRows.examples.slice(0, 3)) logger.warn(`  ${example}`);
  }
  for (const { file, text, count } of done.notes) logger.warn(`${file}: ${text}: ${count} rows`);
  for (const filter of done.filters?.filters ?? []) {
    logger.info(`${filter.name}: dropped ${filter.dropped} of ${filter.seen} documents${why(filter)}`);
  }
  for (const split of Object.values(done.splits)) {
    logger.info(`${split.folder}: ${split.documents} documents, ${split.tokens} tokens, ${split.targets} targets`);
  }
}

/** An example, and what a filter found without dropping. */
function why({ dropped, examples, details }: FilterReport): string {
  const found = details?.['documentsWithOverlap'];
  const overlap = found === undefined ? '' : `, ${found} overlap and are listed in overlap.jsonl`;
  return dropped > 0 ? `, as ${examples[0]}${overlap}` : overlap;
}
