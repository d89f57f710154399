// Builds what is older than its sources: the native addon (cmake-js) and the TypeScript packages (tsc -b).
// `node scripts/build.mjs` is safe to call before every command: when nothing has changed it takes milliseconds.
// With --check it builds nothing and prints what it would build.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const addon = join(root, 'native', 'build', 'Release', 'lethe.node');
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

const builtAt = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

function run(command, args, what) {
  process.stderr.write(`build: ${what}\n`);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}\nbuild: ${what} failed\n`);
  rmSync(lock, { recursive: true, force: true });
  process.exit(1);
}

const lock = join(root, 'node_modules', '.lethe-build');

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // No such process: it ended without releasing the lock.
  }
}

/** Runs f while no other process builds in this checkout. */
function alone(f) {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = join(lock, 'pid');
      const pid = existsSync(owner) ? Number(readFileSync(owner, 'utf8')) : undefined;
      if (pid !== undefined && !isRunning(pid)) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    writeFileSync(join(lock, 'pid'), String(process.pid));
    f();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Builds the packages, and with `addon` the addon, where a source is newer than what was built from it. */
export function build({ addon: wantsAddon = true } = {}) {
  if ((wantsAddon && isAddonStale()) || arePackagesStale()) alone(() => buildStale(wantsAddon));
}

function isAddonStale() {
  return newest(join(root, 'native'), /\.(cpp|h|cu|cuh|txt)$/) > builtAt(addon);
}

function arePackagesStale() {
  const folders = ['native', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))];
  return folders.some((folder) => {
    const at = builtAt(join(root, folder, 'dist', '.tsbuildinfo'));
    return newest(join(root, folder), /(?<!\.spec)\.ts$|^tsconfig.*\.json$/) > at;
  });
}

function buildStale(wantsAddon) {
  const bin = join(root, 'node_modules', '.bin');
  if (wantsAddon && isAddonStale()) {
    run(join(bin, 'cmake-js'), ['build', '-d', 'native', '-O', join('native', 'build')], 'native addon');
    utimesSync(addon, new Date(), new Date()); // an edit that relinks nothing leaves its time behind
  }
  if (arePackagesStale()) run(join(bin, 'tsc'), ['-b'], 'TypeScript packages');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== '--check') build();
  else
    process.stdout.write(
      `${isAddonStale() ? 'native addon\n' : ''}${arePackagesStale() ? 'TypeScript packages\n' : ''}`,
    );
}
