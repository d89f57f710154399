// Builds what is older than its sources: the native addon (cmake-js) and the TypeScript packages (tsc -b).
// `node scripts/build.mjs` is safe to call before every command: when nothing has changed it takes milliseconds.
// With --check it builds nothing and prints what it would build.
// A build that was broken off or failed is never trusted: files that are written last say what was finished.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './setup/lock.mjs';
import { BuildError, runPhase } from './setup/phase.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const native = join(root, 'native');
const out = join(native, 'build');
const configured = join(out, 'lethe-configured');
const built = join(out, 'lethe-built');
const compiled = join(root, 'node_modules', '.lethe-compiled');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'tests', 'bench', 'bin', 'recipes']);

/** The newest modification time of the files under a folder whose names match. */
function newest(folder, pattern) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && !entry.name.startsWith('build-')) time = Math.max(time, newest(path, pattern));
    } else if (pattern.test(entry.name)) {
      time = Math.max(time, statSync(path).mtimeMs);
    }
  }
  return time;
}

const writtenAt = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

function isAddonStale() {
  if (!existsSync(join(out, 'Release', 'lethe.node'))) return true;
  return newest(native, /\.(cpp|h|cu|cuh|cmake)$|^CMakeLists\.txt$/) > writtenAt(built);
}

function arePackagesStale() {
  const folders = [native, ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))];
  const at = writtenAt(compiled);
  return folders.some(
    (folder) =>
      !existsSync(join(folder, 'dist', '.tsbuildinfo')) || newest(folder, /(?<!\.spec)\.ts$|^tsconfig.*\.json$/) > at,
  );
}

async function buildAddon() {
  const phase = (what, command) => ({
    what,
    command: bin('cmake-js'),
    args: [command, '-d', native, '-O', out],
    cwd: root,
    log: join(out, `${command}.log`),
    remedy: 'bash scripts/setup.sh installs what it needs.',
  });
  if (!existsSync(configured)) {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    await runPhase(phase('configuring the native addon', 'configure'));
    writeFileSync(configured, '');
  }
  await finishing(built, () => runPhase(phase('compiling the native addon', 'build')));
}

/** Runs f, then writes `file` with the time at which f began: what is edited meanwhile is newer. */
async function finishing(file, f) {
  rmSync(file, { force: true });
  const begun = new Date();
  await f();
  writeFileSync(file, '');
  utimesSync(file, begun, begun);
}

async function buildPackages() {
  const phase = {
    what: 'compiling the TypeScript packages',
    command: bin('tsc'),
    args: ['-b'],
    cwd: root,
    log: join(root, 'node_modules', '.lethe-tsc.log'),
    remedy: '',
  };
  await finishing(compiled, () => runPhase(phase));
}

/** Builds the packages, and with `addon` the addon, where a source is newer than what was built from it. */
export async function build({ addon = true } = {}) {
  if (!(addon && isAddonStale()) && !arePackagesStale()) return;
  try {
    await withLock(join(root, 'node_modules', '.lethe-build'), async () => {
      if (addon && isAddonStale()) await buildAddon();
      if (arePackagesStale()) await buildPackages();
    });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`build: ${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== '--check') await build();
  else
    process.stdout.write(
      `${isAddonStale() ? 'native addon\n' : ''}${arePackagesStale() ? 'TypeScript packages\n' : ''}`,
    );
}
