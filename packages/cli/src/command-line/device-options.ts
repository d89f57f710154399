import { applyDeviceSettings, DEVICE_NAMES, type DeviceSettings } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import { threadCount } from './number-options.js';

/** Adds `--device`, `--precision` and `--threads`. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(new Option('--device <name>', 'where to compute').choices([...DEVICE_NAMES]).default('lethe-cpu'))
    .addOption(
      new Option('--precision <p>', 'of activations and matrix products').choices(['fp32', 'bf16']).default('fp32'),
    )
    .option('--threads <n>', 'CPU threads (default: all cores)', threadCount);
}

/** Makes the chosen device current; tells on standard error where `auto` took the CPU. */
export async function selectDevice(flags: DeviceSettings): Promise<void> {
  const notice = await applyDeviceSettings(flags);
  if (notice) process.stderr.write(`${notice}\n`);
}
