// Unlearning steps, Lethe against PyTorch, in turns: node benchmarks/unlearning-step/run.mjs [size ...]
// PYTHON names a Python with torch (default python3); LETHE_TCMALLOC a libtcmalloc to preload for torch (recommended);
// THREADS, ROUNDS (interleaved; medians are shown), STEPS of each, MODES of torch, LETHE the modes of Lethe, of which the first is compared with
// all: bf16, fp32, either with -cached (the original's hidden states are read; torch has the same mode).
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const sizes = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['tiny', 'small', 'wide'];
const threads = process.env.THREADS ?? String(Math.min(2, cpus().length));
const python = process.env.PYTHON ?? 'python3';
const rounds = Number(process.env.ROUNDS ?? 3);
const steps = process.env.STEPS ?? '5';
const LETHE = process.env.LETHE?.split(',') ?? ['bf16', 'fp32'];
const MODES = process.env.MODES?.split(',') ?? ['eager-fp32', 'eager-fp32-onednn', 'eager-bf16', 'compiled-bf16'];

function run(command, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  process.stderr.write(`${args[0]} ${args.slice(1).join(' ')}: ${stderr.trim().split('\n').at(-1)}\n`);
  return undefined;
}

const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;
if (!hasTorch) process.stdout.write('torch is not installed for PYTHON: Lethe alone\n');
const preload = process.env.LETHE_TCMALLOC ? { LD_PRELOAD: process.env.LETHE_TCMALLOC } : {};
const results = join(here, '..', 'results', 'unlearning-step.csv');
if (!existsSync(results))
  writeFileSync(results, 'date,machine,threads,size,who,tokens_per_second,gflops,peak_rss_mb,javascript_share\n');

for (const size of sizes) {
  const found = new Map();
  for (let round = 0; round < rounds; round++) {
    const results = LETHE.map((mode) =>
      run(process.execPath, [join(here, 'lethe-step.mjs'), size, mode, threads, steps]),
    );
    if (hasTorch)
      results.push(
        ...MODES.map((mode) => run(python, [join(here, 'torch_step.py'), size, mode, threads, steps], preload)),
      );
    for (const result of results.filter(Boolean)) found.set(result.who, [...(found.get(result.who) ?? []), result]);
  }
  const medians = [...found.values()].map(
    (list) => list.sort((a, b) => a.tokensPerSecond - b.tokensPerSecond)[Math.floor(list.length / 2)],
  );
  medians.sort((a, b) => b.tokensPerSecond - a.tokensPerSecond);
  const ours = medians.find(({ who }) => who === `lethe ${LETHE[0]}`);
  for (const result of medians) {
    const { who, tokensPerSecond, gflops, rssMb, javascriptShare, operators } = result;
    const ratio = (ours.tokensPerSecond / tokensPerSecond).toFixed(2);
    const detail = operators
      ? `  ${gflops.toFixed(0)} GFLOP/s  JS ${(100 * javascriptShare).toFixed(1)}%  ${operators.map(([name, share]) => `${name} ${(100 * share).toFixed(0)}%`).join(', ')}`
      : '';
    process.stdout.write(
      `${size.padEnd(6)} ${who.padEnd(24)} ${tokensPerSecond.toFixed(0).padStart(7)} tokens/s  lethe ${LETHE[0]} is ${ratio}x  ${rssMb.toFixed(0)} MB${detail}\n`,
    );
    const date = new Date().toISOString().slice(0, 10);
    appendFileSync(
      results,
      `${date},"${cpus()[0].model.trim()} x${cpus().length}",${threads},${size},${who},${tokensPerSecond.toFixed(1)},${gflops?.toFixed(1) ?? ''},${rssMb.toFixed(0)},${javascriptShare?.toFixed(4) ?? ''}\n`,
    );
  }
}
