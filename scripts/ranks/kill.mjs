// Kills a random rank of a job in a random step, again and again: every job must end soon and name the rank, its checkpoints
// must be whole, and the same command must end with the weights of a run that nothing happened to. In a project's folder:
//   node scripts/ranks/kill.mjs --recipe unlearn.yaml [--ranks 3] [--times 20] [--signal KILL|STOP] [--set KEY=VALUE]...
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listCheckpoints, latestCheckpoint, readRunManifest } from '@lethe/run';

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'unlearn.yaml' },
    stage: { type: 'string', default: 'unlearn' },
    ranks: { type: 'string', default: '3' },
    times: { type: 'string', default: '20' },
    signal: { type: 'string', default: 'KILL' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const LETHE = fileURLToPath(new URL('../../packages/cli/bin/lethe.mjs', import.meta.url));
const RUNS = 'killed-ranks';
const LIMIT_SECONDS = 30;
const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
const numRanks = Number(values.ranks);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts the job; `ended` has its status, what it said, and when. */
function start(name) {
  const set = [...values.set, `runs=${RUNS}`, `name=${name}`].flatMap((change) => ['--set', change]);
  const lethe = [process.execPath, LETHE, values.stage, '--recipe', values.recipe, ...set];
  const child = spawn('mpirun', ['--oversubscribe', '-np', String(numRanks), ...lethe], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr, at: performance.now() })));
}

const folderOf = (name) => join(RUNS, name);
const weights = (name) =>
  createHash('sha256')
    .update(readFileSync(join(folderOf(name), 'model/model.safetensors')))
    .digest('hex');
const numRecords = (name) => {
  const file = join(folderOf(name), 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

/** One job that loses a rank. @returns what is wrong, and the seconds from the signal to the end. */
async function lose(name, expected, random) {
  const job = start(name);
  let isOver = false;
  void job.then(() => (isOver = true));
  const step = 1 + Math.floor(random() * (numSteps - 1));
  while (!isOver && numRecords(name) < step) await pause(5);
  await pause((random() * 1000 * unharmedSeconds) / numSteps);
  const { processes } = readRunManifest(folderOf(name)).launches[0];
  const { rank, pid } = processes[Math.floor(random() * numRanks)];
  const at = performance.now();
  try {
    process.kill(pid, `SIG${values.signal}`);
  } catch {
    await job;
    return { isOver: true };
  }
  const { code, stderr, at: end } = await job;
  const seconds = (end - at) / 1000;
  const wrong = [];
  if (code === 0) return { isOver: true };
  if (seconds > LIMIT_SECONDS) wrong.push(`ended after ${seconds.toFixed(1)} s`);
  const isNamed = new RegExp(`step \\d+: rank ${rank} \\(process ${pid} on .+\\) has`).test(stderr);
  const { checkpoint, warnings } = latestCheckpoint(join(folderOf(name), 'checkpoints'));
  if (warnings.length > 0) wrong.push(...warnings);
  const steps = listCheckpoints(join(folderOf(name), 'checkpoints')).length;
  const again = await start(name);
  if (again.code !== 0) wrong.push(`the same command ended with ${again.code}: ${again.stderr.slice(-400)}`);
  else if (weights(name) !== expected) wrong.push('other weights than those of a run that nothing happened to');
  return { rank, seconds, wrong, isNamed, from: checkpoint?.step, steps };
}

// Not seeded: what is random here is the moment, which no seed repeats.
const random = Math.random;
rmSync(RUNS, { recursive: true, force: true });
const began = performance.now();
const whole = await start('unharmed');
if (whole.code !== 0) throw new Error(whole.stderr);
const firstTo = Date.parse(readRunManifest(folderOf('unharmed')).launches[0].ended);
const unharmedSeconds = (firstTo - Date.parse(readRunManifest(folderOf('unharmed')).launches[0].started)) / 1000;
process.stdout.write(`unharmed: ${((whole.at - began) / 1000).toFixed(1)} s\n`);
const numSteps = numRecords('unharmed');
const expected = weights('unharmed');
const results = [];
let over = 0;
while (results.length < Number(values.times)) {
  const name = `lost-${results.length}-${over}`;
  const result = await lose(name, expected, random);
  rmSync(folderOf(name), { recursive: true, force: true });
  if (result.isOver) {
    over++;
    continue;
  }
  results.push(result);
  const { rank, seconds, wrong, isNamed, from } = result;
  const named = isNamed ? 'named with its step' : 'named by the launcher';
  process.stdout.write(
    `${results.length}: rank ${rank}, ended after ${seconds.toFixed(2)} s, ${named}, went on from step ${from ?? 0}` +
      `${wrong.length > 0 ? `; WRONG: ${wrong.join('; ')}` : ''}\n`,
  );
}
const seconds = results.map((result) => result.seconds).sort((a, b) => a - b);
const bad = results.filter(({ wrong }) => wrong.length > 0).length;
process.stdout.write(
  `${results.length} jobs of ${numRanks} ranks lost one by SIG${values.signal}: ${results.length - bad} as they should; ` +
    `ended after ${seconds[0].toFixed(2)} to ${seconds.at(-1).toFixed(2)} s, median ${seconds[seconds.length >> 1].toFixed(2)}; ` +
    `${results.filter(({ isNamed }) => isNamed).length} named the rank with its step; ${over} ended before the signal\n`,
);
process.exitCode = bad > 0 ? 1 : 0;
