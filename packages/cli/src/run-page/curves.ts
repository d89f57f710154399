import type { MetricsRecord, MetricsValue } from '@lethe/run';
import type { LineSeries } from '../charts/line-svg.js';
import type { ReportedRun } from './read-runs.js';

/** What a measure of metrics.jsonl is, for a reader; others go by their names. */
const TITLES: Record<string, string> = {
  loss: 'loss: the weighted sum of the terms',
  forgetting: 'forgetting loss of synthetic tokens',
  forgetP: 'mean probability of synthetic tokens',
  push: 'mean weight c(p) of a forgetting gradient: how hard it still pushes',
  replay: 'replay loss of natural tokens, nats',
  mitigation: 'KL to the original model, nats',
  'validation.replay': 'held-out: loss of natural tokens, nats',
  'validation.perplexity': 'held-out: perplexity of natural tokens',
  'validation.mitigation': 'held-out: KL to the original model, nats',
  'validation.forgetP': 'held-out: mean probability of synthetic tokens',
  'validation.forgetNll': 'held-out: loss of synthetic tokens, nats',
  'validation.keptP': 'held-out: mean probability of what is to be kept',
  'validation.keptNll': 'held-out: loss of what is to be kept, nats',
  gradientNorm: 'norm of the gradient',
  lr: 'learning rate',
  tokensPerSecond: 'tokens per second',
  memoryBytes: 'peak memory of the device, bytes',
};

/** Entries that are not worth a curve. */
const LEFT_OUT = new Set(['step', 'tokens', 'seconds', 'validation.seconds']);

/** A measure and its curve in each run that has it. */
export interface MeasuredCurves {
  key: string;
  title: string;
  series: LineSeries[];
}

/** The numbers of a record by their keys with dots. */
export function numbersOf(record: { [name: string]: MetricsValue }, prefix = ''): [string, number][] {
  return Object.entries(record).flatMap(([key, value]): [string, number][] => {
    if (typeof value === 'number') return [[`${prefix}${key}`, value]];
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isGroup ? numbersOf(value, `${prefix}${key}.`) : [];
  });
}

function seriesOf(name: string, metrics: readonly MetricsRecord[]): Map<string, LineSeries> {
  const series = new Map<string, { name: string; steps: number[]; values: number[] }>();
  for (const record of metrics) {
    for (const [key, value] of numbersOf(record)) {
      if (LEFT_OUT.has(key)) continue;
      const one = series.get(key) ?? { name, steps: [], values: [] };
      one.steps.push(record.step);
      one.values.push(value);
      series.set(key, one);
    }
  }
  return series;
}

/** Every measure of the runs: the known ones in the order of TITLES, then the others. */
export function curvesOf(runs: readonly Pick<ReportedRun, 'name' | 'metrics'>[]): MeasuredCurves[] {
  const bySeries = runs.map(({ name, metrics }) => seriesOf(name, metrics));
  const found = new Set(bySeries.flatMap((series) => [...series.keys()]));
  const known = Object.keys(TITLES);
  const others = [...found].filter((key) => !known.includes(key)).sort();
  return [...known.filter((key) => found.has(key)), ...others].map((key) => ({
    key,
    title: TITLES[key] ?? key,
    // A run without the measure keeps its place, so that every run has one colour throughout.
    series: bySeries.map((series, i) => series.get(key) ?? { name: runs[i].name, steps: [], values: [] }),
  }));
}
