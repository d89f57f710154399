// How much of what ranks send is hidden by their computing:
//   node benchmarks/ranks/overlap.mjs [--link MBITS,DELAY_MS | --ranks N] [--size small] [--precision fp32] [--rows 1]
//   [--length 128] [--rounds 9]
// Rows are those of each rank, of either stream. Two ranks over a link between two network namespaces (root;
// scripts/ranks/two-machines.mjs), or N on this machine. Appends what was measured to results/step-over-ranks.jsonl.
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { whyNot, withTwoMachines } from '../../scripts/ranks/two-machines.mjs';

const { values } = parseArgs({
  options: {
    link: { type: 'string', default: '1000,1' },
    ranks: { type: 'string' },
    size: { type: 'string', default: 'small' },
    precision: { type: 'string', default: 'fp32' },
    rows: { type: 'string', default: '1' },
    length: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '9' },
  },
});
const RESULTS = fileURLToPath(new URL('../results/step-over-ranks.jsonl', import.meta.url));
const TIMELINE = fileURLToPath(new URL('timeline.mjs', import.meta.url));
const command = [process.execPath, TIMELINE, values.size, values.precision, values.rows, values.length, values.rounds];
const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

function onThisMachine() {
  const args = ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-np', values.ranks, ...command];
  const { status, stdout, stderr } = spawnSync('mpirun', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function overLink() {
  const reason = whyNot();
  if (reason) throw new Error(`no two machines here: ${reason}`);
  const [mbits, delayMs] = values.link.split(',').map(Number);
  return withTwoMachines({ mbits, delayMs }, (job, link) => job(...command, ...(link ? [String(link)] : [])));
}

const load = loadavg()[0];
const found = JSON.parse((values.ranks ? onThisMachine() : await overLink()).trim().split('\n').at(-1));
const where = values.ranks ? {} : { link: values.link.split(',').map(Number) };
const { size, precision } = values;
const [rows, length] = [values.rows, values.length].map(Number);
const about = {
  date: new Date().toISOString().slice(0, 10),
  machine: cpus()[0].model.trim(),
  cores: cpus().length,
  load,
};
appendFileSync(RESULTS, `${JSON.stringify({ ...about, size, precision, rows, length, ...where, ...found })}\n`);
const { beside, inTurn, none } = Object.fromEntries(
  Object.entries(found.times).map(([name, all]) => [name, median(all)]),
);
const s = (seconds) => `${seconds.toFixed(3)} s`;
process.stdout.write(
  `${size} ${precision}, ${found.ranks} ranks, ${values.ranks ? 'this machine' : `${values.link} (Mbit/s, ms)`}, load ${load.toFixed(1)}: ` +
    `beside the step ${s(beside)}, in turn ${s(inTurn)}, without ${s(none)}: ` +
    `${((1 - (beside - none) / (inTurn - none)) * 100).toFixed(0)}% of ${s(inTurn - none)} hidden\n`,
);
