import type { Logger } from '@lethe/run';
import { applyDeviceSettings, type DeviceSettings } from '@lethe/tensor';

/** Where to compute; default `lethe-cpu` in fp32 with all cores. */
export type DeviceChoice = Partial<DeviceSettings>;

/** Makes the device of these options the current one; warns where `auto` took another than a GPU. */
export async function selectDevice(options: DeviceChoice, logger: Logger): Promise<DeviceSettings> {
  const { device = 'lethe-cpu', precision = 'fp32', threads } = options;
  const settings: DeviceSettings = { device, precision, ...(threads === undefined ? {} : { threads }) };
  const notice = await applyDeviceSettings(settings);
  if (notice !== undefined) logger.warn(notice);
  return settings;
}
