// Builds what is older than its sources: the native addon (cmake-js) and the TypeScript packages (tsc -b).
// `node scripts/build.mjs` is safe to call before every command: when nothing has changed it takes milliseconds.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
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
  process.exit(1);
}

/** Builds the addon and the packages where a source is newer than what was built from it. */
export function build() {
  const bin = join(root, 'node_modules', '.bin');
  const addon = join(root, 'native', 'build', 'Release', 'lethe.node');
  if (newest(join(root, 'native'), /\.(cpp|h|cu|cuh|txt)$/) > builtAt(addon)) {
    run(join(bin, 'cmake-js'), ['build', '-d', 'native', '-O', join('native', 'build')], 'native addon');
  }
  const folders = ['native', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))];
  const isStale = folders.some((folder) => {
    const at = builtAt(join(root, folder, 'dist', '.tsbuildinfo'));
    return newest(join(root, folder), /(?<!\.spec)\.ts$|^tsconfig.*\.json$/) > at;
  });
  if (isStale) run(join(bin, 'tsc'), ['-b'], 'TypeScript packages');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
