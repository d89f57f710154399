// Which branches of the numeric packages does no test take? Each is in explained.txt with its reason, or is an error here.
//   nice node scripts/branches/run.mjs                     runs the tests, a part at a time (twelve minutes), then compares
//   nice node scripts/branches/run.mjs --keep FOLDER       the same; leaves each part's coverage-final.json in FOLDER/<part>
//   nice node scripts/branches/run.mjs --keep FOLDER --part eval     runs one part anew, then compares all that FOLDER holds
//   nice node scripts/branches/run.mjs --from FOLDER       only compares what FOLDER holds
// Exit status 1: a branch that is neither taken nor explained, or an explanation of one that is taken or gone.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const PACKAGES = ['model', 'tensor', 'losses', 'eval', 'train', 'analysis'];

// One jest for all would keep every module of every test: four times as slow as one for each part.
const PARTS = {
  ...Object.fromEntries([...PACKAGES, 'serve', 'cli'].map((name) => [name, `packages/${name}/`])),
  parity: 'tests/parity/',
  regression: 'tests/regression/',
  // Not those that only start, stop and ask servers, or set up machines.
  e2e: 'tests/e2e/(bad|commands|hub|ifeval|judged|lineage|overlap|readme|reproduce|stopping|sweep|validation|whole)',
};

/** Runs the tests of `part`, commands within jest's own process; what they took is in `folder`/`part`. Tells whether all passed. */
function measure(part, folder) {
  const config = join(here, 'jest.config.cjs');
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [jest, '-c', config, '--coverage', `--coverageDirectory=${join(folder, part)}`, '--maxWorkers=1'];
  const { status } = spawnSync(process.execPath, [...args, '--testPathPatterns', PARTS[part]], {
    cwd: root,
    env: { ...process.env, LETHE_E2E_HERE: '1' },
    stdio: 'inherit',
  });
  return status === 0;
}

const isMeasured = (file) => PACKAGES.some((name) => file.startsWith(`packages/${name}/src/`));

/** Calls `onBranch` with file, line and column, kind and count of every branch of a report of jest, numbered within its statement. */
function readReport(report, onBranch) {
  for (const [path, { branchMap, b: counts }] of Object.entries(JSON.parse(readFileSync(report, 'utf8')))) {
    const file = relative(root, path);
    if (!isMeasured(file)) continue;
    for (const [id, { type, loc, locations }] of Object.entries(branchMap))
      counts[id].forEach((count, i) => {
        // An `else` that is not written has no place of its own.
        const { line, column } = locations[i]?.start?.line === undefined ? loc.start : locations[i].start;
        onBranch({ file, line, type: `${type} ${i}`, count, place: [file, line, column, type, i].join(' ') });
      });
  }
}

/** `file | text of the line` of every branch that no test of any part took, with its line's number. */
function untaken(folder) {
  const taken = new Set();
  const all = [];
  for (const part of readdirSync(folder))
    readReport(join(folder, part, 'coverage-final.json'), (branch) => {
      if (branch.count > 0) taken.add(branch.place);
      else all.push(branch);
    });
  const found = new Map();
  for (const { place, file, line, type } of all) {
    if (taken.has(place)) continue;
    const text = readFileSync(join(root, file), 'utf8').split('\n')[line - 1]?.trim();
    if (text === undefined) throw new Error(`${file} was longer when it was measured; measure again`);
    found.set(`${file} | ${text}`, { line, type });
  }
  return found;
}

/** The explained branches, under their reasons: lines `file | text` below lines `# reason`. */
function explained() {
  const reasons = new Map();
  let reason = '';
  for (const line of readFileSync(join(here, 'explained.txt'), 'utf8').split('\n')) {
    if (line.startsWith('# ')) reason = line.slice(2);
    else if (line.trim() !== '') reasons.set(line, reason);
  }
  return reasons;
}

const { values: flags } = parseArgs({
  options: { from: { type: 'string' }, keep: { type: 'string' }, part: { type: 'string', multiple: true } },
});
const folder = flags.from ?? flags.keep ?? mkdtempSync(join(tmpdir(), 'lethe-branches-'));
try {
  const parts = flags.from === undefined ? (flags.part ?? Object.keys(PARTS)) : [];
  const failed = parts.filter((part) => !measure(part, folder));
  const found = untaken(folder);
  const reasons = explained();
  const open = [...found].filter(([key]) => !reasons.has(key));
  const stale = [...reasons.keys()].filter((key) => !found.has(key));
  for (const [key, { line, type }] of open) console.log(`not taken, not explained: line ${line}, ${type}: ${key}`);
  for (const key of stale) console.log(`explained, but taken or gone: ${key}`);
  console.log(`${found.size} lines with branches that no test takes, ${open.length} of them not explained`);
  if (failed.length > 0) console.log(`tests of ${failed.join(', ')} failed: mend them, then run these parts anew`);
  process.exitCode = failed.length + open.length + stale.length === 0 ? 0 : 1;
} finally {
  if (folder !== flags.from && folder !== flags.keep) rmSync(folder, { recursive: true });
}
