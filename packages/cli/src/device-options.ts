import { DEVICE_NAMES, type DeviceName, type Precision, setNumThreads, useDevice } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import { integer } from './number-options.js';

/** Flags of the commands that compute. */
export interface DeviceFlags {
  device: DeviceName;
  precision: Precision;
  threads?: number;
}

/** Adds `--device`, `--precision` and `--threads`. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(new Option('--device <name>', 'where to compute').choices([...DEVICE_NAMES]).default('lethe-cpu'))
    .addOption(
      new Option('--precision <p>', 'of activations and matrix products').choices(['fp32', 'bf16']).default('fp32'),
    )
    .option('--threads <n>', 'CPU threads (default: all cores)', integer);
}

/** Makes the chosen device current. */
export async function selectDevice({ device, precision, threads }: DeviceFlags): Promise<void> {
  if (threads !== undefined) setNumThreads(threads);
  const choice = await useDevice(device, precision);
  if (choice.reason) process.stderr.write(`${device} takes ${choice.device}: ${choice.reason}\n`);
}
