import type { ReportedRun } from './read-runs.js';
import { endOf, startOf } from './summary.js';
import { numbersOf } from './curves.js';

/** A rise of the replay loss by more than this share is told. */
const MOST_RISE = 0.02;
/** A share of clipped steps above this is told. */
const MOST_CLIPPED = 0.5;

/** Fewer records say nothing of where a run went. */
const FEWEST = 10;

/** What a reader should know before trusting the run. */
export function warningsOf(run: ReportedRun): string[] {
  const tends = run.metrics.length < FEWEST ? [] : [lostText(run), notForgotten(run), clipped(run)];
  return [failure(run), nonFinite(run), ...tends].filter((text) => text !== undefined);
}

function failure({ manifest }: ReportedRun): string | undefined {
  const outcome = manifest.launches.at(-1)?.outcome;
  return /^(failed|exceeded)/.test(outcome ?? '') ? outcome! : undefined;
}

function nonFinite({ metrics }: ReportedRun): string | undefined {
  const first = metrics.flatMap((record) =>
    numbersOf(record)
      .filter(([, value]) => !Number.isFinite(value))
      .map(([key, value]) => `${key} is ${value} at step ${record.step}`),
  )[0];
  return first && `${first}; curves leave such values out`;
}

function lostText(run: ReportedRun): string | undefined {
  const key = endOf(run, 'validation.replay') === undefined ? 'replay' : 'validation.replay';
  const [start, end] = [startOf(run, key), endOf(run, key)];
  if (start === undefined || end === undefined || end <= start * (1 + MOST_RISE)) return undefined;
  return `the ${key === 'replay' ? 'replay' : 'held-out'} loss rose from ${start.toFixed(3)} to ${end.toFixed(3)}: the model is losing natural text`;
}

function notForgotten(run: ReportedRun): string | undefined {
  const [start, end] = [startOf(run, 'forgetP'), endOf(run, 'forgetP')];
  if (start === undefined || end === undefined || end < start) return undefined;
  return `the probability of synthetic tokens did not fall: ${start.toPrecision(3)} at first, ${end.toPrecision(3)} at the end`;
}

function clipped({ metrics, recipe }: ReportedRun): string | undefined {
  const limit = recipe.optimizer?.clipNorm;
  if (limit === undefined) return undefined;
  const count = metrics.filter(({ gradientNorm }) => typeof gradientNorm === 'number' && gradientNorm > limit).length;
  if (count <= MOST_CLIPPED * metrics.length) return undefined;
  const share = ((100 * count) / metrics.length).toFixed(0);
  return `the gradient was clipped to ${limit} in ${share}% of the steps: the learning rate is not what sets the pace`;
}
