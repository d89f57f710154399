import { formatDuration } from '@lethe/run';
import { outcomeOf } from '../sweep/read-sweep.js';
import type { ReportedRun } from './read-runs.js';
import { curvesOf, numbersOf } from './curves.js';

/** Share of a run's records, its last, whose mean is the measure at its end: one batch alone is noisy. */
const END_SHARE = 0.1;

const finite = (values: readonly number[]): number[] => values.filter(Number.isFinite);

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const firstOf = (values: readonly number[]): number | undefined => finite(values)[0];

function lastOf(values: readonly number[]): number | undefined {
  const known = finite(values);
  return known.length === 0 ? undefined : meanOf(known.slice(-Math.max(1, Math.ceil(END_SHARE * known.length))));
}

const valuesOf = ({ metrics }: ReportedRun, key: string): number[] =>
  metrics.flatMap((record) => numbersOf(record).flatMap(([name, value]) => (name === key ? [value] : [])));

/** A measure at the first record, and as the mean over the last tenth; undefined where the run has none. */
export const startOf = (run: ReportedRun, key: string): number | undefined => firstOf(valuesOf(run, key));
export const endOf = (run: ReportedRun, key: string): number | undefined => lastOf(valuesOf(run, key));

/** Titles of the columns of {@link runRow}. */
export const RUN_HEADER = ['run', 'stage', 'outcome', 'steps', 'tokens', 'time', 'tokens/s'];

/** How far a run went, and how fast. Tokens and time are of its steps, without measuring and saving. */
export function runRow(run: ReportedRun): string[] {
  const { name, recipe, manifest, metrics } = run;
  const step = metrics.at(-1)?.step ?? 0;
  const perStep = (key: string): number => step * meanOf(valuesOf(run, key));
  const [tokens, seconds] = [perStep('tokens'), perStep('seconds')];
  return [
    name,
    recipe.stage,
    outcomeOf(manifest).outcome,
    `${step} of ${recipe.steps}`,
    Number.isFinite(tokens) ? Math.round(tokens).toLocaleString('en') : '?',
    formatDuration(seconds),
    Number.isFinite(tokens / seconds) ? Math.round(tokens / seconds).toLocaleString('en') : '?',
  ];
}

/** Four digits. */
function shown(value: number | undefined): string {
  if (value === undefined) return '';
  const rounded = Number(value.toPrecision(4));
  return Math.abs(rounded) >= 1e4 && Math.abs(rounded) < 1e12 ? rounded.toLocaleString('en') : String(rounded);
}

/** A row a measure: first and last value of each run. */
export function measureRows(runs: readonly ReportedRun[]): string[][] {
  return curvesOf(runs).map(({ key, series }) => [
    key,
    ...series.map(({ values }) =>
      finite(values).length === 0 ? '' : `${shown(firstOf(values))} → ${shown(lastOf(values))}`,
    ),
  ]);
}
