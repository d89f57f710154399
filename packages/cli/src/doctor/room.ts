import { freemem, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { memoryLimit } from './control-group.js';
import { type Finding, gibibytes, ok, problem, reasonOf, warning } from './finding.js';
import { roomIn } from './folder.js';

const GIB = 2 ** 30;
/** Less is worth a word: a step of a small model takes half of it. */
const LITTLE_MEMORY = 2 * GIB;
/** Less is worth a word: a few checkpoints of a small model take it. */
const LITTLE_DISK = 2 * GIB;

/** Memory of the machine, of it available, and the limit of this process's control groups. */
export function checkMemory({ total = totalmem(), available = freemem(), limit = memoryLimit() } = {}): Finding {
  const limited = limit < total ? `, limited to ${gibibytes(limit)} by control groups` : '';
  const found = `${gibibytes(available)} available of ${gibibytes(total)}${limited}`;
  if (Math.min(available, limit) >= LITTLE_MEMORY) return ok('memory', found);
  return warning('memory', found, '--dry-run says what a recipe takes; precision: bf16 and model.recompute take less');
}

/** The folder of runs: whether it can be written, and its free space. */
export function checkRuns(folder: string, room: (folder: string) => number = roomIn): Finding {
  try {
    const free = room(folder);
    const found = `${resolve(folder)}: ${gibibytes(free)} free`;
    if (free >= LITTLE_DISK) return ok('runs', found);
    return warning('runs', found, 'make room (a checkpoint takes 12 bytes a parameter), or set runs: to another disk');
  } catch (error) {
    return problem(
      'runs',
      `cannot be written: ${reasonOf(error)}`,
      'go to a folder that can be written, or set runs: to one',
    );
  }
}
