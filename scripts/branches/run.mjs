// Which branches of the numeric packages does no test take? Each is in explained.txt with its reason, or is an error here.
//   nice node scripts/branches/run.mjs                     runs the tests (ten minutes on two cores), then compares
//   nice node scripts/branches/run.mjs --from FILE         compares jest's coverage-final.json, made before
// Exit status 1: a branch that is neither taken nor explained, or an explanation of one that is taken or gone.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const PACKAGES = ['model', 'tensor', 'losses', 'eval', 'train', 'analysis'];

/** Runs the tests that stay within one process, and returns where jest wrote what they took. */
function measure(folder) {
  const config = join(here, 'jest.config.cjs');
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [jest, '-c', config, '--coverage', `--coverageDirectory=${folder}`, '--maxWorkers=1'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('expected all tests to pass; mend them first');
  return join(folder, 'coverage-final.json');
}

const isMeasured = (file) => PACKAGES.some((name) => file.startsWith(`packages/${name}/src/`));

/** `file | text of the line` of every branch that no test took, with its line's number. */
function untaken(report) {
  const found = new Map();
  for (const [path, { branchMap, b: counts }] of Object.entries(JSON.parse(readFileSync(report, 'utf8')))) {
    const file = relative(root, path);
    if (!isMeasured(file)) continue;
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const [id, { type, loc, locations }] of Object.entries(branchMap)) {
      counts[id].forEach((count, i) => {
        if (count > 0) return;
        // An `else` that is not written has no place of its own.
        const line = locations[i]?.start?.line ?? loc.start.line;
        const text = lines[line - 1].trim();
        const key = `${file} | ${text}`;
        found.set(key, { line, type });
      });
    }
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

const { values: flags } = parseArgs({ options: { from: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'lethe-branches-'));
try {
  const found = untaken(flags.from ?? measure(folder));
  const reasons = explained();
  const open = [...found].filter(([key]) => !reasons.has(key));
  const stale = [...reasons.keys()].filter((key) => !found.has(key));
  for (const [key, { line, type }] of open) console.log(`not taken, not explained: line ${line}, ${type}: ${key}`);
  for (const key of stale) console.log(`explained, but taken or gone: ${key}`);
  console.log(`${found.size} lines with branches that no test takes, ${open.length} of them not explained`);
  process.exitCode = open.length + stale.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
