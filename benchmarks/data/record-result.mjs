import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'results', 'data.csv');

/** Prints one measurement and appends it to benchmarks/results/data.csv. `ratio` is to the other side of the same run. */
export function recordResult({ what, value, unit, ratio }) {
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file)) writeFileSync(file, 'date,machine,cores,what,value,unit,ratio\n');
  const date = new Date().toISOString().slice(0, 10);
  const machine = JSON.stringify(cpus()[0].model.trim());
  const shown = value.toPrecision(4);
  appendFileSync(file, `${date},${machine},${cpus().length},${what},${shown},${unit},${ratio?.toFixed(2) ?? ''}\n`);
  process.stdout.write(
    `${what.padEnd(44)} ${shown.padStart(10)} ${unit}${ratio === undefined ? '' : `  ${ratio.toFixed(2)}x`}\n`,
  );
}

/** The middle of some values. */
export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
