// Tokens per second of prompts (128 tokens) and of decoding (127 more), Lethe against transformers, in turns:
//   node benchmarks/inference/run.mjs MODEL [MODEL ...]
// PYTHON names a Python with transformers (default python3); THREADS, ROUNDS (medians are shown).
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const models = process.argv.slice(2);
const threads = process.env.THREADS ?? '1';
const python = process.env.PYTHON ?? 'python3';
const rounds = Number(process.env.ROUNDS ?? 3);
if (models.length === 0) {
  process.stderr.write('expected checkpoint folders: node benchmarks/inference/run.mjs MODEL [MODEL ...]\n');
  process.exit(1);
}
const hasRival = spawnSync(python, ['-c', 'import transformers, torch']).status === 0;
if (!hasRival) process.stdout.write('transformers is not installed for PYTHON: Lethe alone\n');

function run(command, script, args) {
  const { status, stdout, stderr } = spawnSync(command, [join(here, script), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const results = join(here, '..', 'results', 'inference.csv');
if (!existsSync(results))
  writeFileSync(results, 'date,machine,threads,model,batch,who,prompt_tokens_per_second,decode_tokens_per_second\n');
const middle = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

for (const model of models)
  for (const batch of ['1', '8']) {
    const found = new Map();
    for (let round = 0; round < rounds; round++)
      for (const precision of ['fp32', 'bf16']) {
        const args = [model, batch, precision, threads];
        const both = [run(process.execPath, 'lethe-inference.mjs', args)];
        if (hasRival) both.push(run(python, 'transformers_inference.py', args));
        for (const { who, prompt, decode } of both) {
          const list = found.get(who) ?? { prompt: [], decode: [] };
          found.set(who, { prompt: [...list.prompt, prompt], decode: [...list.decode, decode] });
        }
      }
    for (const [who, list] of found) {
      const [prompt, decode] = [middle(list.prompt), middle(list.decode)];
      const label = `${basename(model)} batch ${batch}`.padEnd(28) + who.padEnd(20);
      process.stdout.write(
        `${label} prompt ${prompt.toFixed(0).padStart(7)} tokens/s  decode ${decode.toFixed(0).padStart(6)} tokens/s\n`,
      );
      const date = new Date().toISOString().slice(0, 10);
      const machine = `"${cpus()[0].model.trim()} x${cpus().length}"`;
      const row = [date, machine, threads, basename(model), batch, who, prompt.toFixed(0), decode.toFixed(0)];
      appendFileSync(results, `${row.join(',')}\n`);
    }
  }
