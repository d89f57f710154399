import { spawnSync } from 'node:child_process';
import { addonPath, deviceIndex } from '@lethe/native';

// A driver that is broken may end or hang the process that opens it: the child is the one to suffer.
const SCRIPT = `
const [path, device, bytes] = process.argv.slice(1);
try {
  const addon = require(path);
  addon.release(addon.alloc(Number(device), Number(bytes)));
  process.stdout.write('available');
} catch (error) {
  process.stdout.write(String(error.message));
}`;

const TIMEOUT_MS = 60_000;

/** How a child process that opened the GPU ended. */
export interface ProbeResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
}

function openInChild(bytes: number): ProbeResult {
  const args = ['-e', SCRIPT, addonPath, String(deviceIndex.cuda), String(bytes)];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
}

/**
 * Opens the CUDA device in a child process and takes `bytes` of its memory for a moment.
 * @returns undefined when it works, or one line that says why not.
 */
export function probeCuda(bytes = 4, open: (bytes: number) => ProbeResult = openInChild): string | undefined {
  const { status, signal, stdout } = open(bytes);
  if (stdout === 'available' && status === 0) return undefined;
  if (stdout !== '' && stdout !== 'available') return stdout.split('\n')[0];
  if (signal === 'SIGTERM') return `opening the GPU took more than ${TIMEOUT_MS / 1000} s`;
  return `opening the GPU ended the process (${signal ?? `status ${status}`})`;
}
