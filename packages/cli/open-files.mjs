// Ends the process where it may open too few files: Node cannot load all parts then, and says so in a stack of its own.
import { existsSync, readFileSync } from 'node:fs';

const LEAST_FILES = 256;
const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
const [, most = LEAST_FILES] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
if (Number(most) < LEAST_FILES) {
  process.stderr.write(
    `lethe: a program may open ${most} files here, expected at least ${LEAST_FILES}; raise the limit: ulimit -n 1024\n`,
  );
  process.exit(1);
}
