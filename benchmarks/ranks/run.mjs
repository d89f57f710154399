// Two ranks of one thread beside one process of two threads, on the same steps: node benchmarks/ranks/run.mjs [ROUNDS].
// Both sides run in alternation; a side's speed is the median of its steps but the first ones, and the ratio the median
// of the rounds'. The load of the machine is recorded: it must be idle for the ratio to mean something.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@lethe/run';

const LETHE = fileURLToPath(new URL('../../packages/cli/bin/lethe.mjs', import.meta.url));
const RESULTS = fileURLToPath(new URL('../results/ranks.csv', import.meta.url));
const rounds = Number(process.argv[2] ?? 5);
const WARM_UP = 3;
const folder = mkdtempSync(join(tmpdir(), 'lethe-ranks-'));
const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

const RECIPE = `name: x
stage: pretrain
model:
  tokenizer: shards/tokenizer
  config: { hiddenSize: 256, intermediateSize: 768, numLayers: 6, numHeads: 4, maxPositions: 256 }
data:
  rowLength: 256
  replay: [{ shards: shards/train }]
batch: { replayRows: 4, accumulate: 2 }
steps: 15
checkpoint: { every: 1000 }
metrics: { termGradientsEvery: 0 }
`;

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function prepare() {
  const random = seededRandom(1, 'ranks');
  const word = () => String.fromCharCode(...Array.from({ length: 2 + random.int(6) }, () => 97 + random.int(26)));
  const words = Array.from({ length: 3000 }, word);
  const text = () => Array.from({ length: 300 }, () => words[random.int(words.length)]).join(' ');
  writeFileSync(
    join(folder, 'text.jsonl'),
    Array.from({ length: 300 }, () => `${JSON.stringify({ text: text() })}\n`).join(''),
  );
  writeFileSync(join(folder, 'pretrain.yaml'), RECIPE);
  run(process.execPath, LETHE, 'prepare', 'text.jsonl', '--out', 'shards', '--train-tokenizer', '2000');
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Tokens per second of a run of so many ranks and threads, in the median step. */
function speed(name, ranks, threads, precision) {
  const set = [`name=${name}`, `threads=${threads}`, `precision=${precision}`].flatMap((change) => ['--set', change]);
  const lethe = [process.execPath, LETHE, 'pretrain', '--recipe', 'pretrain.yaml', ...set];
  if (ranks > 1) run('mpirun', '--bind-to', 'none', '-np', String(ranks), ...lethe);
  else run(...lethe);
  const lines = readFileSync(join(folder, 'runs', name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return median(lines.slice(WARM_UP).map((line) => JSON.parse(line).tokensPerSecond));
}

if (!existsSync(RESULTS)) {
  writeFileSync(RESULTS, 'date,machine,cores,load,precision,one_rank_two_threads,two_ranks_one_thread,ratio\n');
}
try {
  prepare();
  for (const precision of ['fp32', 'bf16']) {
    const load = [];
    const pairs = Array.from({ length: rounds }, (_, round) => {
      load.push(loadavg()[0]);
      return [speed(`one-${precision}-${round}`, 1, 2, precision), speed(`two-${precision}-${round}`, 2, 1, precision)];
    });
    const [one, two] = [0, 1].map((side) => Math.round(median(pairs.map((pair) => pair[side]))));
    const ratio = median(pairs.map(([a, b]) => b / a)).toFixed(2);
    const machine = JSON.stringify(cpus()[0].model.trim());
    const date = new Date().toISOString().slice(0, 10);
    const row = [date, machine, cpus().length, median(load).toFixed(1), precision, one, two, ratio];
    appendFileSync(RESULTS, `${row.join(',')}\n`);
    process.stdout.write(
      `${precision}: one rank of two threads ${one} tokens/s, two ranks of one ${two}: ${ratio}x (load ${row[3]})\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
