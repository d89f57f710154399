import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { addonPath, deviceIndex, type DeviceName as NativeDevice, loadAddon } from '@lethe/native';
import { LetheBackend } from './backend.js';
import { chooseDevice } from './choose-device.js';
import { registerElementwise } from './kernels/elementwise.js';
import { registerReductions } from './kernels/reductions.js';
import { registerFor } from './kernels/register.js';
import { registerShapes } from './kernels/shapes.js';
import { registerComposedOperators, registerNativeOperators } from './operators/register.js';
import { isInstalled, loadOptional, type OptionalDevice, PACKAGES } from './optional-devices.js';
import { type Precision, PRECISIONS, setPrecision } from './precision.js';

/**
 * Devices by the names users give: the addon's, tfjs's own `cpu`, `wasm` (WebAssembly) and `tensorflow` (tfjs-node) where
 * their packages are installed, and `auto`, the GPU where there is one and otherwise the CPU.
 */
export const DEVICE_NAMES = [
  'lethe-cpu',
  'lethe-reference',
  'lethe-cuda',
  'cpu',
  'wasm',
  'tensorflow',
  'auto',
] as const;
export type DeviceName = (typeof DEVICE_NAMES)[number];

/** Devices that compute without a GPU and whose packages are installed; what holds of one must hold of each. */
export function installedDevices(): DeviceName[] {
  const optional = (Object.keys(PACKAGES) as OptionalDevice[]).filter(isInstalled);
  return ['lethe-reference', 'lethe-cpu', 'cpu', ...optional];
}

// Without it tfjs prints advice about its own Node backend on the first use of `cpu`.
tf.enableProdMode();

const registered = new Set<string>();

function registerNative(device: NativeDevice): void {
  const name = `lethe-${device}`;
  const register = registerFor(name);
  registerElementwise(register);
  registerReductions(register);
  registerShapes(register);
  registerNativeOperators(name);
  const addon = loadAddon();
  // A dry allocation makes an absent device fail here, with its reason, and not in the middle of a run.
  addon.release(addon.alloc(deviceIndex[device], 4));
  tf.registerBackend(name, () => new LetheBackend(addon, device), 0);
}

const isOptional = (name: DeviceName): name is OptionalDevice => name in PACKAGES;

/** Optional devices that have been seen to compute. */
const computing = new Set<DeviceName>();

/**
 * Multiplies two matrices: a device may open and not compute, as tfjs-node 4.22 on Node 24, which calls what that version
 * of Node no longer has.
 * @throws Error with Node's version and the remedy.
 */
function tryProduct(name: DeviceName): void {
  try {
    const [x] = tf.tidy(() => tf.matMul(tf.tensor2d([[2, 3]]), tf.tensor2d([[5], [7]])).dataSync());
    if (x !== 31) throw new Error(`[2 3] [5 7]^T gave ${x} instead of 31`);
  } catch (cause) {
    const remedy = name === 'tensorflow' ? 'run Node 20, or another device' : 'take another device';
    throw new Error(
      `device ${name} opens and does not compute on Node ${process.versions.node} (${(cause as Error).message}); ${remedy}`,
      { cause },
    );
  }
}

/**
 * Makes a device current for the tensors and operators that follow.
 * @returns the device, and for `auto` that took the CPU, why it is not the GPU: to be told to the user.
 * @throws RangeError for an unknown name or precision; Error with the reason when the device is not available.
 */
export async function useDevice(
  wanted: DeviceName,
  precision: Precision = 'fp32',
): Promise<{ device: DeviceName; reason?: string }> {
  if (!DEVICE_NAMES.includes(wanted))
    throw new RangeError(`unknown device ${wanted}; expected one of ${DEVICE_NAMES.join(', ')}`);
  if (!PRECISIONS.includes(precision))
    throw new RangeError(`unknown precision ${precision}; expected one of ${PRECISIONS.join(', ')}`);
  const choice = wanted === 'auto' ? chooseDevice() : { device: wanted };
  const name = choice.device;
  if (precision === 'bf16' && !name.startsWith('lethe-')) {
    throw new RangeError(`device ${name} computes in fp32 only; bf16 needs a lethe-* device`);
  }
  if (!registered.has(name)) {
    if (isOptional(name)) await loadOptional(name);
    if (name.startsWith('lethe-')) registerNative(name.slice('lethe-'.length) as NativeDevice);
    else registerComposedOperators(name);
    registered.add(name);
  }
  if (!(await tf.setBackend(name))) throw new Error(`device ${name} could not be initialised`);
  if (isOptional(name) && !computing.has(name)) {
    tryProduct(name);
    computing.add(name);
  }
  setPrecision(precision);
  return choice;
}

/** Bytes held by the current device (0 where the device does not tell), and the number of live tensors. */
export function deviceMemory(): { live: number; peak: number; tensors: number } {
  const backend = tf.engine().backend;
  const tensors = tf.memory().numTensors;
  if (!(backend instanceof LetheBackend)) return { live: 0, peak: 0, tensors };
  const { live, peak } = backend.addon.memory(backend.deviceIndex);
  return { live, peak, tensors };
}

/** Forgets the peak of {@link deviceMemory}: it is measured from here on. */
export function resetPeakMemory(): void {
  const backend = tf.engine().backend;
  if (backend instanceof LetheBackend) backend.addon.resetPeak(backend.deviceIndex);
}

/** Whether the current device changes tensors in place, which collectives and parts of parameters need. */
export const holdsInPlace = (): boolean => tf.engine().backend instanceof LetheBackend;

/** CPU threads of the addon: as many as this process may use, or what was set. */
export const numThreads = (): number => loadAddon().numThreads();

/** The file of the addon. */
export const addonFile = (): string => addonPath;

/** The vector instructions that the addon computes with: `avx512 with bf16`. */
export function vectorCode(): string {
  const { simd, bf16 } = loadAddon().info();
  return bf16 ? `${simd} with bf16` : simd;
}

/** Most threads that the addon takes. */
export const MAX_THREADS = 4096;

/** Limits the CPU threads of the addon. @throws RangeError for a number of threads that it does not take. */
export function setNumThreads(count: number): void {
  if (!(Number.isInteger(count) && count >= 1 && count <= MAX_THREADS)) {
    throw new RangeError(`threads: expected 1 to ${MAX_THREADS}, received ${count}`);
  }
  loadAddon().setNumThreads(count);
}
