#!/usr/bin/env node
// Makes the packages that would be published: node scripts/pack.mjs [FOLDER] [--dry-run]
// Each package is staged with exactly the files its users need, and packed by npm into FOLDER (default: packed/).
// In the repository every package is private, so that none is published by accident; only what is staged is not.
// --dry-run also asks npm what publishing each would do; nothing is ever published from here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { stageNative, stagePrebuilt } from './pack/stage-native.mjs';
import { stagePackage } from './pack/stage-package.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'dry-run': { type: 'boolean' } } });
const out = resolve(positionals[0] ?? 'packed');

/** Runs npm; what it warns of is an error here: a published package is clean. */
function npm(args, cwd) {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  // That nobody is logged in is as it should be.
  const warnings = stderr.split('\n').filter((line) => /^npm (warn|error)/.test(line) && !/logged in/.test(line));
  if (status !== 0 || warnings.length > 0) throw new Error(`npm ${args.join(' ')} in ${cwd}:\n${stderr}`);
  return stdout.trim();
}

function pack(folder) {
  console.log(npm(['pack', '--loglevel=warn', '--pack-destination', out], folder));
  if (values['dry-run']) npm(['publish', '--dry-run', '--loglevel=warn', '--access=public'], folder);
}

await build();
const staging = mkdtempSync(join(tmpdir(), 'lethe-pack-'));
try {
  const staged = readdirSync(join(root, 'packages')).map((name) => stagePackage(root, name, join(staging, name)));
  staged.push(stageNative(root, join(staging, 'native')), stagePrebuilt(root, join(staging, 'prebuilt')));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const folder of staged) pack(folder);
} finally {
  rmSync(staging, { recursive: true, force: true });
}
