// Loaded into every process and thread of a command by `--import`: tells faults.c which code asks for a change of a file: the stack of calls
// in @lethe/run, which writes for all, and the line of another package that called it, as a number. FAULT_SITES is a folder that gets a
// file of that name with these calls.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const CHANGES = ['open', 'write', 'writev', 'writeFile', 'appendFile', 'fsync', 'fdatasync', 'mkdir', 'mkdtemp', 'copyFile', 'cp', 'link', 'symlink', 'rename']; // prettier-ignore
const { openSync, writeFileSync } = fs;
const known = new Set();
let depth = 0;

function tell(site) {
  try {
    openSync(`/site/${site}`);
  } catch {
    // never opened; faults.c has heard it
  }
}

/** The number of that stack, 13 hexadecimal digits of a hash; 0 where none is of this project. */
function siteHere() {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  const all = stack.split('\n').filter((line) => line.includes('/dist/') && !line.includes('/node_modules/'));
  if (all.length === 0) return 0;
  const asks = all.findIndex((line) => !line.includes('/run/dist/'));
  const calls = asks < 0 ? all : all.slice(0, asks + 1);
  const text = calls
    .map((line) => line.replace(/^.*?at (?:async )?(.*?)\(?file:.*\/packages\/(.*?)\)?$/, '$1$2'))
    .join('\n');
  const site = parseInt(createHash('sha256').update(text).digest('hex').slice(0, 13), 16);
  if (!known.has(site)) {
    known.add(site);
    writeFileSync(join(process.env.FAULT_SITES, String(site)), `${text}\n`);
  }
  return site;
}

for (const name of CHANGES.map((change) => `${change}Sync`)) {
  const change = fs[name];
  fs[name] = (...args) => {
    if (depth > 0) return change(...args);
    depth++;
    try {
      tell(siteHere());
      return change(...args);
    } finally {
      tell(0);
      depth--;
    }
  };
}
syncBuiltinESMExports();
