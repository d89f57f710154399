import { availableParallelism } from 'node:os';
import { processorLimit } from './control-group.js';
import type { OpenedAddon } from './describe-addon.js';
import { counted, type Finding, ok, problem, warning } from './finding.js';

/** The instruction set that the CPU device takes, and LETHE_SIMD. */
export function checkInstructions({ description, refusal }: OpenedAddon, environment = process.env): Finding {
  if (!description)
    return problem(
      'processor',
      refusal!.replace('[environment] ', ''),
      'correct the variable, or unset it (docs/cpu.md)',
    );
  const { simd, bf16, onednn } = description;
  const products = bf16 ? 'bf16 instructions' : 'bf16 by rounding to it, no faster than fp32';
  const found = `${simd}, ${products}, oneDNN ${onednn}`;
  const asked = environment.LETHE_SIMD;
  if (!asked) return ok('processor', found);
  if (asked === simd) return ok('processor', `${found} (LETHE_SIMD)`);
  return warning('processor', `${found}: it has no ${asked}`, `LETHE_SIMD asks for ${asked}: unset it`);
}

/** Processors that this process may use, of its affinity and its control groups. */
export const usableProcessors = (): number => Math.min(availableParallelism(), Math.ceil(processorLimit()));

/** OpenMP's threads against the processors that this process may use. */
export function checkThreads(
  { description, stderr }: OpenedAddon,
  { usable = usableProcessors(), environment = process.env } = {},
): Finding {
  const { threads } = description!;
  const asked = environment.OMP_NUM_THREADS;
  const found = `${counted(threads, 'thread')} on ${counted(usable, 'processor')}${asked ? ` (OMP_NUM_THREADS=${asked})` : ''}`;
  const complaint = stderr.split('\n').find((line) => line.includes('OMP_NUM_THREADS'));
  if (complaint) return warning('threads', `${found}: ${complaint}`, 'set it to a number, or unset it');
  if (threads <= usable) return ok('threads', found);
  return warning('threads', `${found}: they wait for each other`, `OMP_NUM_THREADS=${usable}, or --threads ${usable}`);
}
