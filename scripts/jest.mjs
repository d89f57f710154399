// Runs jest for one package or for all: node scripts/jest.mjs [folder ...] [-- jest options].
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cut = process.argv.indexOf('--');
const folders = process.argv.slice(2, cut < 0 ? undefined : cut);
const options = cut < 0 ? [] : process.argv.slice(cut + 1);
const projects = folders.filter((folder) => existsSync(join(root, folder, 'jest.config.cjs')));
await build();
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--projects',
    ...projects,
    '--passWithNoTests',
    '--testTimeout=180000',
    ...options,
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
