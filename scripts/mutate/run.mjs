// Do the tests hold what they claim? Changes formulas, comparisons, constants, conditions and returned values of the
// numeric packages, one at a time, in a copy of the last commit, and names the changes that no test notices.
//   nice -n 19 node scripts/mutate/run.mjs --seed 1 --count 200 --out mutants.jsonl
//   nice -n 19 node scripts/mutate/run.mjs --again mutants.jsonl       once more those that survived, by file and line
//   --package NAME: that package alone; --list: print the mutants and run nothing.
// Each mutant meets the tests of its package that import its file; one that survives meets what else reads the package
// (ELSEWHERE). Takes an hour or two on two cores. A line per mutant: file, line, column, before, after, outcome.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { mutantsOf } from './mutants.mjs';
import { copyTree } from './tree.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const LIMIT_SECONDS = 600;
const PACKAGES = ['model', 'tensor', 'losses', 'eval', 'train', 'analysis'];

// Projects, and a pattern of their tests, that see a package's mutants besides its own tests.
const ELSEWHERE = {
  tensor: [['packages/losses', 'tests'], 'losses|parity|regression'],
  losses: [['packages/train', 'tests'], 'train|parity/unlearning|regression'],
  model: [['packages/serve', 'tests'], 'serve|parity|regression'],
  train: [['tests'], 'regression'],
  eval: [['tests'], 'parity/ifeval'],
  analysis: [['packages/cli'], 'diagnos|demo'],
};

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    package: { type: 'string' },
    out: { type: 'string' },
    again: { type: 'string' },
    list: { type: 'boolean' },
  },
});

function sourcesUnder(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return sourcesUnder(path);
      return name.endsWith('.ts') && !name.endsWith('.spec.ts') && name !== 'index.ts' ? [path] : [];
    });
}

/** Every mutant of the packages, in the order of the files. */
function allMutants(names) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.test.json'), ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  return names
    .flatMap((name) => sourcesUnder(join(root, 'packages', name, 'src')))
    .flatMap((path) => {
      const file = relative(root, path);
      return mutantsOf(program.getSourceFile(path), checker).map((mutant) => ({ file, ...mutant }));
    });
}

/** Uniform in [0, 1) from a seed (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function drawn(mutants, count, random) {
  const left = [...mutants];
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0],
  );
}

/** The survivors of an earlier run, where they are now. */
function survivorsOf(report, mutants) {
  const lines = readFileSync(report, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = new Map(lines.map((one) => [`${one.file}:${one.line}:${one.column}:${one.after}`, one]));
  const survived = [...last].filter(([, one]) => one.outcome === 'survived').map(([key]) => key);
  const found = mutants.filter((one) => survived.includes(`${one.file}:${one.line}:${one.column}:${one.after}`));
  if (found.length < survived.length)
    console.error(`${survived.length - found.length} survivors are not where they were, and are left out`);
  return found;
}

const packageOf = ({ file }) => file.split('/')[1];

/** Runs tests in a process of their own. One that dies, or takes longer than the limit, has noticed the mutant too. */
function tests(folder, request, { mutated = '', limitSeconds }) {
  const env = {
    ...process.env,
    LETHE_MUTATED: mutated,
    LETHE_DATA: process.env.LETHE_DATA ?? join(root, '..', 'shared'),
  };
  const runner = join(folder, 'scripts', 'mutate', 'runner.mjs');
  const child = fork(runner, [folder, JSON.stringify(request)], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  return new Promise((resolve) => {
    const late = { passed: false, failed: `no end after ${limitSeconds} s` };
    const timer = setTimeout(() => resolve(late), limitSeconds * 1000);
    child.once('message', resolve);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve({ passed: false, failed: `the process ended with ${code}` });
    });
  }).finally(() => child.kill('SIGKILL'));
}

/** What becomes of a mutant under tests: the test that failed, or that none did. */
async function outcomeOf(mutant, folder, requestOf) {
  const path = join(folder, mutant.file);
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, whole.slice(0, mutant.start) + mutant.after + whole.slice(mutant.end));
  try {
    const limits = { mutated: mutant.file, limitSeconds: LIMIT_SECONDS };
    const { passed, failed, error, numTests } = await tests(folder, requestOf(packageOf(mutant), path), limits);
    return passed ? { outcome: 'survived', by: `${numTests} tests` } : { outcome: 'killed', by: failed ?? error };
  } finally {
    writeFileSync(path, whole);
  }
}

const ownTests = (name, path) => ({ projects: [join('packages', name)], related: [path] });
const testsElsewhere = (name) => ({ projects: ELSEWHERE[name][0], pattern: ELSEWHERE[name][1] });

/** Before anything is spoilt every test must pass: else each mutant would seem to be noticed. */
async function checkWhole(names, folder) {
  for (const name of names) {
    for (const request of [{ projects: [join('packages', name)] }, testsElsewhere(name)]) {
      const { passed, failed, error, numTests } = await tests(folder, request, { limitSeconds: 4 * LIMIT_SECONDS });
      if (!passed) throw new Error(`without a mutant: ${failed ?? error}`);
      console.error(`${request.projects.join(' ')}: ${numTests} tests pass without a mutant`);
    }
  }
}

/** Runs each mutant, tells of it, and returns those that survive. */
async function survivorsAmong(mutants, folder, requestOf) {
  const survivors = [];
  for (const [i, mutant] of mutants.entries()) {
    const { start: _start, end: _end, ...told } = mutant;
    const { outcome, by } = await outcomeOf(mutant, folder, requestOf);
    if (outcome === 'survived') survivors.push(mutant);
    if (flags.out) appendFileSync(flags.out, `${JSON.stringify({ ...told, outcome, by })}\n`);
    const change = `${mutant.before} -> ${mutant.after}`;
    console.error(`${i + 1}/${mutants.length} ${outcome}: ${where(mutant)}  ${change}  (${by})`);
  }
  return survivors;
}

const where = ({ file, line, column }) => `${file}:${line}:${column}`;
const names = flags.package ? [flags.package] : PACKAGES;
const every = allMutants(names);
const chosen = flags.again
  ? survivorsOf(flags.again, every)
  : drawn(every, Number(flags.count), randomOf(Number(flags.seed)));
console.error(`${chosen.length} of ${every.length} mutants of ${names.join(', ')}`);
if (flags.list) {
  for (const one of chosen) console.log(`${where(one)}  ${one.before} -> ${one.after}`);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-mutate-'));
  try {
    copyTree(root, folder);
    await checkWhole([...new Set(chosen.map(packageOf))], folder);
    const left = await survivorsAmong(chosen, folder, ownTests);
    const survivors = await survivorsAmong(left, folder, testsElsewhere);
    console.log(`${chosen.length - survivors.length} of ${chosen.length} killed; survivors:`);
    for (const one of survivors) console.log(`${where(one)}  ${one.before} -> ${one.after}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
