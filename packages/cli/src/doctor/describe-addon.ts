import { spawnSync } from 'node:child_process';
import { addonPath } from '@lethe/native';
import type { Precision } from '@lethe/tensor';

/** What the addon says of itself and of this machine. */
export interface AddonDescription {
  operators: string[];
  threads: number;
  simd: string;
  bf16: boolean;
  onednn: string;
}

/** The addon opened by a child process: its description, or why not, and what its libraries wrote to standard error. */
export interface OpenedAddon {
  description?: AddonDescription;
  /** Why it cannot be loaded. */
  unloadable?: string;
  /** Why it does not run: a variable that it cannot read. */
  refusal?: string;
  stderr: string;
}

// A child, since a library that was built for another machine ends the process that opens it.
const SCRIPT = `
const say = (what) => process.stdout.write(JSON.stringify(what));
let addon;
try { addon = require(process.argv[1]); } catch (error) { say({ unloadable: error.message }); }
if (addon) try {
  const { simd, bf16, onednn } = addon.info();
  const operators = addon.operators().map(({ name }) => name);
  say({ description: { operators, threads: addon.numThreads(), simd, bf16, onednn } });
} catch (error) { say({ refusal: error.message }); }`;

/** Opens the addon as a command would. */
export function openAddon(path = addonPath, environment = process.env): OpenedAddon {
  // info() also looks for a GPU, whose driver may hang: that is the check of the GPU, not this one.
  const env = { ...environment, LETHE_CUDA_LIBRARY: '/dev/null' };
  const child = spawnSync(process.execPath, ['-e', SCRIPT, path], { env, encoding: 'utf8', timeout: 20_000 });
  const stderr = child.stderr.trim();
  if (child.status === 0 && child.stdout !== '') return { ...(JSON.parse(child.stdout) as OpenedAddon), stderr };
  const how = child.signal ?? child.error?.message ?? `status ${child.status}`;
  return { unloadable: `loading it ended the process (${how})`, stderr };
}

/** The precision in which the processor is fastest: bf16 where it has instructions for it. */
export const precisionOfProcessor = (): Precision => (openAddon().description?.bf16 ? 'bf16' : 'fp32');
