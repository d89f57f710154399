import { mixStreams, openStream, type RowOrigin, type TokenStream } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { type MicroBatch, withHeldLast } from './micro-batch.js';
import { type Among, type Rows, shareOfStep } from './ranks/share.js';
import type { TrainRecipe } from './recipe.js';
import { requireApart } from './same-shards.js';

/** The token rows that a run trains on. */
export interface TrainStreams {
  forget?: TokenStream;
  replay?: TokenStream;
  /** Whether the mitigation term does not hold a replay row; absent where it holds all. */
  isFree?: (row: RowOrigin) => boolean;
}

type Role = 'forget' | 'replay';

/** What shards must fit: the model's tokenizer, where it has one, and its vocabulary. */
export interface ShardFit {
  tokenizerHash?: string;
  vocabSize?: number;
}

/** A stream for each source of a role. */
async function openParts(recipe: TrainRecipe, role: Role, fit: ShardFit): Promise<TokenStream[]> {
  const { rowLength, packing } = recipe.data;
  return Promise.all(
    recipe.data[role].map(({ shards }) => openStream({ shards, rowLength, packing, seed: recipe.seed, ...fit })),
  );
}

function mixed(recipe: TrainRecipe, role: Role, streams: readonly TokenStream[]): TokenStream | undefined {
  const parts = recipe.data[role];
  if (streams.length <= 1) return streams[0];
  const total = parts.reduce((sum, { proportion }) => sum + proportion, 0);
  const shares = streams.map((stream, i) => ({
    stream,
    proportion: parts[i].proportion / total,
    name: parts[i].shards,
  }));
  return mixStreams(shares, recipe.seed);
}

/** Tells rows of sources that are not held, by the set of rows that they are of. */
function freeRows({ data }: TrainRecipe, streams: readonly TokenStream[]): TrainStreams['isFree'] {
  const free = streams.filter((_, i) => data.replay[i].held === false);
  if (free.length === 0) return undefined;
  const digests = new Set(free.map((stream) => stream.origins(0, 1)[0].set.digest));
  return ({ set }) => digests.has(set.digest);
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
  const replayed = await openParts(recipe, 'replay', fit);
  const isFree = freeRows(recipe, replayed);
  return {
    forget: mixed(recipe, 'forget', await openParts(recipe, 'forget', fit)),
    replay: mixed(recipe, 'replay', replayed),
    ...(isFree && { isFree }),
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
  const batches: MicroBatch[] = [];
  for (const { forget, replay } of shareOfStep(recipe, step, among)) {
    const micro = { forget: await read('forget', forget), replay: await read('replay', replay) };
    batches.push(streams.isFree ? withHeldLast(micro, streams.isFree) : micro);
  }
  return batches;
}
