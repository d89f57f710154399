import * as analysis from '@lethe/analysis';
import { silentLogger } from '@lethe/run';
import { type DeviceChoice, selectDevice } from './select-device.js';

/** What is diagnosed, and where to compute. */
export interface DiagnoseOptions extends analysis.DiagnoseOptions, DeviceChoice {}

/**
 * Tells what sets synthetic text apart from natural text, and how far models' perplexities lie from the base's.
 * @throws UserError on bad options, shards or checkpoints.
 */
export async function diagnose(options: DiagnoseOptions): Promise<analysis.Diagnosis> {
  analysis.checkDiagnoseOptions(options);
  await selectDevice(options, options.logger ?? silentLogger);
  return analysis.diagnose(options);
}
