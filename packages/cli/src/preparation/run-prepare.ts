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
  trainTokenizer,
} from '@lethe/data-pipeline';
import { formatDuration, lockWithin, type Logger, remainingSeconds, UsageError, whileLocked } from '@lethe/run';
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
  const options = { ...rest, tokenizer, heldOut: { fraction: heldOut }, signal: context.signal, force: context.force };
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
  async function* texts(): AsyncGenerator<string> {
    for await (const document of readDocuments(sources)) yield documentText(document);
  }
  const { vocabSize } = tokenizer.train;
  return whileLocked(lockWithin(out), () => trainTokenizer(texts(), { vocabSize, folder }));
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
