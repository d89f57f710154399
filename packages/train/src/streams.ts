import { mixStreams, openStream, type TokenStream } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { MicroBatch } from './micro-batch.js';
import { type Among, type Rows, shareOfStep } from './ranks/share.js';
import type { TrainRecipe } from './recipe.js';
import { requireApart } from './same-shards.js';

/** The token rows that a run trains on. */
export interface TrainStreams {
  forget?: TokenStream;
  replay?: TokenStream;
}

type Role = keyof TrainStreams;

/** What shards must fit: the model's tokenizer, where it has one, and its vocabulary. */
export interface ShardFit {
  tokenizerHash?: string;
  vocabSize?: number;
}

async function openRole(recipe: TrainRecipe, role: Role, fit: ShardFit): Promise<TokenStream | undefined> {
  const parts = recipe.data[role];
  if (parts.length === 0) return undefined;
  const { rowLength, packing } = recipe.data;
  const streams = await Promise.all(
    parts.map(({ shards }) => openStream({ shards, rowLength, packing, seed: recipe.seed, ...fit })),
  );
  if (streams.length === 1) return streams[0];
  const total = parts.reduce((sum, { proportion }) => sum + proportion, 0);
  const mixed = streams.map((stream, i) => ({
    stream,
    proportion: parts[i].proportion / total,
    name: parts[i].shards,
  }));
  return mixStreams(mixed, recipe.seed);
}

/**
 * Opens the streams of a recipe.
 * @throws UserError when a stage lacks the data it needs, naming the keys, or would forget what it replays.
 */
export async function openStreams(recipe: TrainRecipe, fit: ShardFit = {}): Promise<TrainStreams> {
  const { batch, data, stage } = recipe;
  if (stage === 'unlearn') {
    if (data.replay.length === 0 || batch.replayRows === 0) {
      throw new UserError(
        'unlearning without replay data destroys the model: give data.replay some natural data and batch.replayRows at least 1',
      );
    }
    if (data.forget.length === 0 || batch.forgetRows === 0) {
      throw new UserError('stage unlearn needs synthetic data: give data.forget and batch.forgetRows at least 1');
    }
    requireApart(recipe);
  } else {
    if (data.forget.length > 0 || batch.forgetRows > 0)
      throw new UserError(`stage ${stage} forgets nothing: remove data.forget and batch.forgetRows`);
    if (data.replay.length === 0 || batch.replayRows === 0)
      throw new UserError(`stage ${stage} needs data.replay and batch.replayRows at least 1`);
  }
  return {
    forget: await openRole(recipe, 'forget', fit),
    replay: await openRole(recipe, 'replay', fit),
  };
}

/**
 * A rank's micro-batches of step 1..steps: a pure function of the step, so that resuming needs no replay of earlier steps.
 */
export async function batchesOfStep(
  streams: TrainStreams,
  recipe: TrainRecipe,
  step: number,
  among: Among,
): Promise<MicroBatch[]> {
  const read = async (role: Role, { start, count }: Rows): Promise<MicroBatch[Role]> =>
    count > 0 ? streams[role]?.batch(start, count) : undefined;
  const micro: MicroBatch[] = [];
  for (const { forget, replay } of shareOfStep(recipe, step, among)) {
    micro.push({ forget: await read('forget', forget), replay: await read('replay', replay) });
  }
  return micro;
}
