#!/usr/bin/env node
// The `lethe` command of an installed package.
import { existsSync, readFileSync } from 'node:fs';

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

const { main } = await import('lethe');
process.exitCode = await main(process.argv.slice(2));
