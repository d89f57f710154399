import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { registerSegmentSum } from './kernels/segment-sum.js';

/** Packages that are optional peers, by the device that they give, the first that is there wins. */
export const PACKAGES = {
  wasm: ['@tensorflow/tfjs-backend-wasm'],
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
} as const;
export type OptionalDevice = keyof typeof PACKAGES;

const require = createRequire(import.meta.url);

/** Where a device's package may lie. */
function candidates(device: OptionalDevice): string[] {
  const named = device === 'tensorflow' ? process.env.LETHE_TFJS_NODE : undefined;
  if (!named) return [...PACKAGES[device]];
  // A path is one from where the user stands, as in any other variable; a bare name is a package.
  const place = /^\.{0,2}\//.test(named) || existsSync(named) ? resolve(named) : named;
  return [place, ...PACKAGES[device]];
}

/** Whether a device's package is installed; it may still fail to open or to compute. */
export function isInstalled(device: OptionalDevice): boolean {
  return candidates(device).some((candidate) => {
    try {
      require.resolve(candidate);
      return true;
    } catch {
      return false; // Not installed: the question this function answers.
    }
  });
}

function requirePackage(device: OptionalDevice): void {
  const reasons: string[] = [];
  for (const candidate of candidates(device)) {
    try {
      require(candidate);
      return;
    } catch (error) {
      reasons.push(`${candidate}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  const hint = `install ${PACKAGES[device].join(' or ')}`;
  const place = device === 'tensorflow' ? ', or set LETHE_TFJS_NODE to its folder' : '';
  throw new Error(`device ${device} is not available; ${hint}${place} (${reasons.join('; ')})`);
}

const ENDINGS = ['uncaughtException', 'unhandledRejection'] as const;

/** Opens tfjs's WebAssembly backend, without the handlers by which its loader changes how Node reports errors. */
async function openWasm(): Promise<void> {
  const before = ENDINGS.map((name) => process.rawListeners(name));
  await tf.setBackend('wasm');
  ENDINGS.forEach((name, i) => {
    for (const listener of process.rawListeners(name))
      if (!before[i].includes(listener)) process.removeListener(name, listener as () => void);
  });
  registerSegmentSum('wasm');
}

/**
 * Loads the package of an optional device: tfjs-node from LETHE_TFJS_NODE or from node_modules, or the WebAssembly backend.
 * @throws Error with the way to install it when it is absent.
 */
export async function loadOptional(device: OptionalDevice): Promise<void> {
  requirePackage(device);
  if (device === 'wasm') await openWasm();
}
