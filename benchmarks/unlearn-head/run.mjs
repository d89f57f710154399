// The fused head and loss, Lethe against PyTorch, in turns: node benchmarks/unlearn-head/run.mjs [D:V ...]
// 512 forget and 512 replay rows, forward and backward. Lethe's side is native:bench, which measures the machine's peak
// between its runs. PYTHON names a Python with torch (default python3); LETHE_TCMALLOC a libtcmalloc to preload for it.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const bench = join(here, '../../native/build-release/lethe_bench');
const shapes = process.argv.length > 2 ? process.argv.slice(2) : ['512:32000', '512:64000', '2048:32000', '2048:64000'];
const threads = process.env.THREADS ?? String(Math.min(2, cpus().length));
const python = process.env.PYTHON ?? 'python3';
const rounds = Number(process.env.ROUNDS ?? 5);
const ALL = ['eager-fp32', 'eager-fp32-onednn', 'compiled-fp32-onednn', 'eager-bf16', 'compiled-bf16'];
const MODES = process.env.MODES?.split(',') ?? ALL;

if (!existsSync(bench)) {
  process.stderr.write('build the benchmark first: npx nx run native:bench\n');
  process.exit(1);
}
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;
if (!hasTorch) process.stdout.write('torch is not installed for PYTHON: Lethe alone\n');

function lethe(D, V) {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-head-'));
  const csv = join(folder, 'rows.csv');
  const { status, stderr } = spawnSync(bench, [threads, 'unlearn_head', csv, `512+512 D${D} V${V}`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const rows = readFileSync(csv, 'utf8').trim().split('\n').slice(1);
  rmSync(folder, { recursive: true });
  return rows.map((row) => {
    const [precision, ms, , , share, workingMb] = row.split(',').slice(-6);
    return { who: `lethe ${precision}`, ms: Number(ms), share: Number(share), workingMb: Number(workingMb) };
  });
}

function torch(D, V, mode) {
  const preload = process.env.LETHE_TCMALLOC ? { LD_PRELOAD: process.env.LETHE_TCMALLOC } : {};
  const script = [join(here, 'torch_head.py'), D, V, mode, threads];
  const { status, stdout, stderr } = spawnSync(python, script, {
    encoding: 'utf8',
    env: { ...process.env, ...preload },
  });
  if (status === 0) return [JSON.parse(stdout.trim().split('\n').at(-1))];
  process.stderr.write(`torch ${mode}: ${stderr.trim().split('\n').at(-1)}\n`);
  return [];
}

const results = join(here, '..', 'results', 'unlearn-head.csv');
if (!existsSync(results)) writeFileSync(results, 'date,machine,threads,D,V,who,ms,share_of_peak,working_mb\n');
const middle = (list) => list.sort((a, b) => a.ms - b.ms)[Math.floor(list.length / 2)];

for (const [D, V] of shapes.map((shape) => shape.split(':'))) {
  const found = new Map();
  for (let round = 0; round < rounds; round++) {
    const all = [...lethe(D, V), ...(hasTorch ? MODES.flatMap((mode) => torch(D, V, mode)) : [])];
    for (const result of all) found.set(result.who, [...(found.get(result.who) ?? []), result]);
  }
  const medians = [...found.values()].map(middle).sort((a, b) => a.ms - b.ms);
  const ours = Object.fromEntries(medians.filter(({ share }) => share).map((result) => [result.who.slice(6), result]));
  for (const { who, ms, share, workingMb } of medians) {
    const rival = ours[who.includes('bf16') ? 'bf16' : 'fp32'];
    const detail = share
      ? `${(100 * share).toFixed(0)}% of peak`
      : `Lethe is ${(ms / rival.ms).toFixed(2)}x, in ${((100 * rival.workingMb) / workingMb).toFixed(0)}% of the memory`;
    const row = `D ${D} V ${V}`.padEnd(16) + who.padEnd(28);
    process.stdout.write(`${row} ${ms.toFixed(1).padStart(8)} ms ${workingMb.toFixed(0).padStart(6)} MB  ${detail}\n`);
    const date = new Date().toISOString().slice(0, 10);
    const machine = `"${cpus()[0].model.trim()} x${cpus().length}"`;
    const numbers = `${ms.toFixed(1)},${share ?? ''},${workingMb.toFixed(0)}`;
    appendFileSync(results, `${date},${machine},${threads},${D},${V},${who},${numbers}\n`);
  }
}
