#!/usr/bin/env node
// The `lethe` command. In a checkout it first builds what is older than its sources.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// With fewer files than that, Node cannot load all parts, and says so in a stack of its own.
const LEAST_FILES = 256;
const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
const [, most = LEAST_FILES] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
if (Number(most) < LEAST_FILES) {
  process.stderr.write(
    `lethe: a program may open ${most} files here, expected at least ${LEAST_FILES}; raise the limit: ulimit -n 1024\n`,
  );
  process.exit(1);
}

const script = new URL('../../../scripts/build.mjs', import.meta.url);
if (existsSync(fileURLToPath(script))) {
  // The doctor tells what is wrong with the addon, also where it cannot be built.
  const command = process.argv.slice(2).find((word) => !word.startsWith('-'));
  await (await import(script.href)).build({ addon: command !== 'doctor' });
}
const { main } = await import('../dist/main.js');
process.exitCode = await main(process.argv.slice(2));
