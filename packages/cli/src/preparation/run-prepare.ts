import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  documentText,
  loadTokenizer,
  prepare,
  type PrepareProgress,
  type PrepareResult,
  readDocuments,
  type Tokenizer,
  TokenizerError,
  trainTokenizer,
  type WrongRow,
} from '@lethe/data-pipeline';
import { formatDuration, lockWithin, type Logger, remainingSeconds, UsageError, whileLocked } from '@lethe/run';
import { usableProcessors } from '../doctor/processor.js';
import type { PrepareRecipe } from './prepare-recipe.js';

/** Who is told of a preparation, and what stops it. */
export interface PrepareContext {
  logger: Logger;
  signal?: AbortSignal;
  force?: boolean;
}

/** Trains the tokenizer if asked to, then prepares the shards. */
export async function runPrepare(recipe: PrepareRecipe, context: PrepareContext): Promise<PrepareResult> {
  const tokenizer = await tokenizerFor(recipe, context.logger);
  const { heldOut, tokenizer: _tokenizer, ...rest } = recipe;
  const { signal, force } = context;
  const threads = recipe.threads ?? usableProcessors();
  const options = { ...rest, tokenizer, heldOut: { fraction: heldOut }, threads, signal, force };
  const result = await prepare(options, (progress) => context.logger.progress(progressLine(progress)));
  context.logger.endProgress();
  return result;
}

async function tokenizerFor({ tokenizer, sources, out, as }: PrepareRecipe, logger: Logger): Promise<Tokenizer> {
  if (typeof tokenizer === 'string') return loadTokenizer(tokenizer, { onWarning: (warning) => logger.warn(warning) });
  if (as === 'ids')
    throw new UsageError('--as ids: give the --tokenizer that made the ids; none can be trained on them');
  const folder = join(out, 'trained-tokenizer');
  if (existsSync(join(folder, 'tokenizer.json'))) {
    const existing = await loadTokenizer(folder);
    if (existing.vocabSize === tokenizer.train.vocabSize) {
      logger.info(`taking the tokenizer that was trained before; remove ${folder} to train it on these sources`);
      return existing;
    }
  }
  logger.info(`training a tokenizer of ${tokenizer.train.vocabSize} ids`);
  const { vocabSize } = tokenizer.train;
  return whileLocked(lockWithin(out), () => trainOn(sources, { vocabSize, folder }));
}

/** @throws TokenizerError where the text does not suffice; it then tells of the rows that could not be read. */
async function trainOn(
  sources: PrepareRecipe['sources'],
  how: { vocabSize: number; folder: string },
): Promise<Tokenizer> {
  let first: WrongRow | undefined;
  let numWrong = 0;
  const onWrongRow = (row: WrongRow): void => {
    first ??= row;
    numWrong++;
  };
  async function* texts(): AsyncGenerator<string> {
    for await (const document of readDocuments(sources, { onWrongRow })) yield documentText(document);
  }
  try {
    return await trainTokenizer(texts(), how);
  } catch (error) {
    if (!(error instanceof TokenizerError) || numWrong === 0) throw error;
    const rows = `rows that cannot be read: ${numWrong}, the first ${first!.file}:${first!.line}: ${first!.reason}`;
    throw new TokenizerError(`${error.message}; ${rows}`, { cause: error });
  }
}

function progressLine({ documents, tokens, bytesRead, bytesTotal, seconds }: PrepareProgress): string {
  const parts = [
    `${documents} documents`,
    `${tokens} tokens`,
    `${(bytesRead / 1e6 / Math.max(seconds, 1e-9)).toFixed(1)} MB/s`,
  ];
  if (bytesTotal !== undefined && bytesRead > 0) {
    parts.unshift(`${Math.floor((100 * bytesRead) / bytesTotal)}% of ${(bytesTotal / 1e6).toFixed(1)} MB`);
    parts.push(`${formatDuration(remainingSeconds(bytesRead, bytesTotal, seconds))} left`);
  }
  return parts.join('  ');
}
