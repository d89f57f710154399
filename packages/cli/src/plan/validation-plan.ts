import { readsReplayRows, rowsOfRole, type TrainRecipe } from '@lethe/train';

/** Work of a trained token in forward passes: its own, and twice that for the backward pass. */
const TRAINED = 3;

/** What validation takes, for `--dry-run`: rows and tokens at most, and its share of the work of training. */
export function validationLine(recipe: TrainRecipe, validation: NonNullable<TrainRecipe['validation']>): string {
  const { data, batch, steps, model } = recipe;
  const { every } = validation;
  const roles = (['replay', 'forget', 'kept'] as const).filter((role) => (validation[role]?.length ?? 0) > 0);
  const times = 1 + Math.ceil(steps / every);
  // The original model reads replay rows too.
  const original = readsReplayRows(recipe) && recipe.model.original !== 'cached' ? 1 : 0;
  const rows = roles.map((role) => rowsOfRole(validation, role));
  const forwards = roles.reduce((sum, role, i) => sum + rows[i] * (role === 'replay' ? 1 + original : 1), 0);
  const trained = TRAINED + (model.recompute ? 1 : 0);
  const perStep = batch.accumulate * (trained * (batch.replayRows + batch.forgetRows) + original * batch.replayRows);
  const share = (100 * times * forwards) / (steps * perStep);
  const tokens = (times * rows.reduce((sum, one) => sum + one, 0) * data.rowLength).toLocaleString('en');
  const each = roles.map((role, i) => `${rows[i]} rows of ${role}`);
  return (
    `validation: up to ${each.join(', ')}, ${times.toLocaleString('en')} times: ` +
    `${tokens} tokens, about ${share.toPrecision(2)}% of the work of training; no further memory`
  );
}
