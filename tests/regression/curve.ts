import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The measures of a run's steps, by name, in the order of the steps. */
export type Curve = Record<string, number[]>;

const MEASURES = ['lr', 'loss', 'replay', 'forgetting', 'mitigation', 'gradientNorm'];
const goldenFile = (name: string): string => join(__dirname, 'golden', `${name}.csv`);

/** The curve of a run's metrics: those measures that it has. */
export function curveOf(records: Record<string, number>[]): Curve {
  const measured = MEASURES.filter((measure) => measure in records[0]);
  return Object.fromEntries(measured.map((measure) => [measure, records.map((record) => record[measure])]));
}

/** Writes a golden: a line of names, then a line of values per step. */
export function writeGolden(name: string, curve: Curve): void {
  const columns = Object.entries(curve);
  const steps = columns[0][1].map((_, i) => [i + 1, ...columns.map(([, values]) => Number(values[i].toPrecision(8)))]);
  const lines = [['step', ...columns.map(([measure]) => measure)], ...steps];
  writeFileSync(goldenFile(name), lines.map((cells) => `${cells.join(',')}\n`).join(''));
}

/** Reads a golden. */
export function readGolden(name: string): Curve {
  const [names, ...steps] = readFileSync(goldenFile(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return Object.fromEntries(names.slice(1).map((measure, i) => [measure, steps.map((cells) => Number(cells[i + 1]))]));
}

/** The first value that is off its golden by more than `tolerance` times the largest of its measure; undefined for none. */
export function departure(curve: Curve, golden: Curve, tolerance: number): string | undefined {
  const shape = (of: Curve): string =>
    Object.entries(of)
      .map(([measure, values]) => `${measure} of ${values.length} steps`)
      .join(', ');
  if (shape(curve) !== shape(golden)) return `expected ${shape(golden)}, received ${shape(curve)}`;
  for (let i = 0; i < golden.loss.length; i++) {
    for (const [measure, expected] of Object.entries(golden)) {
      const allowed = tolerance * Math.max(...expected.map(Math.abs));
      const error = Math.abs(curve[measure][i] - expected[i]);
      if (error <= allowed) continue;
      return `step ${i + 1}: expected ${measure} ${expected[i]}, received ${curve[measure][i]}, off by ${error}, allowed ${allowed}`;
    }
  }
  return undefined;
}
