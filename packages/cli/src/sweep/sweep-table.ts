import { formatTable } from '../command-line/table.js';
import { labelsOf } from './grid.js';
import { isHeldOut, type Measure, MEASURES } from './unlearning-measures.js';
import type { SweepResults, SweptRun } from './read-sweep.js';
import { valueText } from './variation.js';

/** Keys that decide which rows a step learns from: losses of runs that differ in them are of different text. */
const BATCH_KEYS = /^(data|batch|seed)\b/;

/** Keys that decide which rows are held out and how they are cut. */
const VALIDATION_KEYS = /^(validation|data\.(rowLength|packing))\b/;

const measuredIn = ({ runs }: SweepResults): Measure[] =>
  MEASURES.filter((measure) => runs.some(({ end }) => end[measure] !== undefined));

/** The columns for people: where there are measures of held-out rows, those and what the front weighs. */
const shownIn = (results: SweepResults): Measure[] => {
  const all = measuredIn(results);
  if (!all.some(isHeldOut)) return all;
  return all.filter((measure) => isHeldOut(measure) || results.front.includes(measure));
};

function shownMeasure({ start, end }: SweptRun, measure: Measure): string {
  const [before, after] = [start[measure], end[measure]].map((value) => value?.toFixed(4) ?? '?');
  return `${before} -> ${after}`;
}

const shownOutcome = ({ outcome, step, steps }: SweptRun): string =>
  outcome === 'finished' && step === steps ? outcome : `${outcome} at ${step} of ${steps}`;

/** Short names of keys, but for those that are names of measures: the weight of forgetting is not its loss. */
const keyTitles = (keys: readonly string[]): string[] =>
  labelsOf(keys).map((label, i) => ((MEASURES as readonly string[]).includes(label) ? keys[i] : label));

/** The table for people: a row for each run, its losses at start and end, the front marked with a star. */
export function sweepTable(results: SweepResults): string {
  const measures = shownIn(results);
  const header = ['', ...keyTitles(results.keys), ...measures, 'outcome', 'run'];
  const rows = results.runs.map((run) => [
    run.onFront ? '*' : '',
    ...results.keys.map((key) => valueText(run.values[key])),
    ...measures.map((measure) => shownMeasure(run, measure)),
    shownOutcome(run),
    run.run,
  ]);
  const { front, keys } = results;
  const notes =
    front.length > 0 ? [`* no other run is as small in ${front.join(', ')} and smaller in one of them`] : [];
  const isAllHeldOut = measures.every(isHeldOut);
  const rowKeys = keys.filter((key) => (isAllHeldOut ? VALIDATION_KEYS : BATCH_KEYS).test(key));
  if (rowKeys.length > 0) {
    const what = isAllHeldOut ? 'are validated on' : 'learn from';
    notes.push(`${rowKeys.join(', ')}: these runs ${what} different rows; compare with care`);
  }
  return [formatTable(header, rows), ...notes].join('\n');
}

/** A cell of a CSV file, quoted where it must be (RFC 4180). */
const cell = (value: unknown): string => {
  const text = value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** `sweep.csv`: the same rows with all digits, one column a value. */
export function sweepCsv(results: SweepResults): string {
  const known = measuredIn(results);
  const written = MEASURES.filter((measure) => !isHeldOut(measure) || known.includes(measure));
  const measures = written.flatMap((measure) => [`${measure}_start`, `${measure}_end`]);
  const header = ['run', ...results.keys, 'outcome', 'reason', 'step', 'steps', ...measures, 'front'];
  const rows = results.runs.map(({ run, values, outcome, reason, step, steps, start, end, onFront }) => [
    run,
    ...results.keys.map((key) => values[key]),
    outcome,
    reason,
    step,
    steps,
    ...written.flatMap((measure) => [start[measure], end[measure]]),
    onFront,
  ]);
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
