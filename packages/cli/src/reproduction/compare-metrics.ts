import type { MetricsRecord } from '@lethe/run';
import { numbersOf } from '../run-page/curves.js';

/** Measures of the clock and of memory, which differ between any two runs. */
const OF_THE_MACHINE = /(^|\.)(seconds|tokensPerSecond|memoryBytes)$/;

/** A measure of one step that is not the same in two runs; undefined where a run has none. */
export interface Difference {
  step: number;
  key: string;
  was: number | undefined;
  is: number | undefined;
  /** |is - was| / max(|was|, |is|); infinite where a run has none, or one of them is not finite. */
  relative: number;
}

/** What two runs' metrics have in common. */
export interface MetricsComparison {
  /** Numbers compared. */
  numValues: number;
  numDifferent: number;
  /** Of the earliest step. */
  first?: Difference;
  /** The largest, relatively. */
  largest?: Difference;
}

type Values = Map<string, { step: number; key: string; value: number }>;

function valuesOf(records: readonly MetricsRecord[]): Values {
  const values: Values = new Map();
  for (const record of records) {
    for (const [key, value] of numbersOf(record)) {
      if (key !== 'step' && !OF_THE_MACHINE.test(key))
        values.set(`${record.step} ${key}`, { step: record.step, key, value });
    }
  }
  return values;
}

function relativeDifference(was: number | undefined, is: number | undefined): number {
  if (was === undefined || is === undefined || !Number.isFinite(was) || !Number.isFinite(is)) return Infinity;
  return Math.abs(is - was) / Math.max(Math.abs(was), Math.abs(is));
}

/** Compares every measure of every step bit by bit, but for times and memory. */
export function compareMetrics(before: readonly MetricsRecord[], after: readonly MetricsRecord[]): MetricsComparison {
  const [were, are] = [valuesOf(before), valuesOf(after)];
  const places = new Set([...were.keys(), ...are.keys()]);
  const differences = [...places].flatMap((place): Difference[] => {
    const [was, is] = [were.get(place), are.get(place)];
    if (Object.is(was?.value, is?.value)) return [];
    const { step, key } = (was ?? is)!;
    const relative = relativeDifference(was?.value, is?.value);
    return [{ step, key, was: was?.value, is: is?.value, relative }];
  });
  const pick = (isBetter: (a: Difference, b: Difference) => boolean): Difference | undefined =>
    differences.length === 0 ? undefined : differences.reduce((best, one) => (isBetter(one, best) ? one : best));
  return {
    numValues: places.size,
    numDifferent: differences.length,
    first: pick((a, b) => a.step < b.step),
    largest: pick((a, b) => a.relative > b.relative),
  };
}
