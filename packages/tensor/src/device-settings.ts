import { type DeviceName, setNumThreads, useDevice } from './devices.js';
import type { Precision } from './precision.js';

/** Where a program computes, and how. */
export interface DeviceSettings {
  device: DeviceName;
  /** Of activations and matrix products. */
  precision: Precision;
  /** Threads of the CPU; absent: all cores. */
  threads?: number;
}

/**
 * Makes the device of the settings current.
 * @returns one line for the user where `auto` took the CPU: the device and why; otherwise undefined.
 * @throws RangeError, Error as {@link useDevice} does.
 */
export async function applyDeviceSettings({ device, precision, threads }: DeviceSettings): Promise<string | undefined> {
  if (threads !== undefined) setNumThreads(threads);
  const choice = await useDevice(device, precision);
  return choice.reason === undefined ? undefined : `${device} takes ${choice.device}: ${choice.reason}`;
}
