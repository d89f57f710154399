import { checkpointFolder, loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { type Llama, loadLlama, type LoadOptions } from '@lethe/model';
import { type Logger, silentLogger } from '@lethe/run';
import { type DeviceChoice, selectDevice } from './select-device.js';

/** How a checkpoint is loaded, and where. */
export interface LoadModelOptions extends LoadOptions, DeviceChoice {
  logger?: Logger;
}

/** A checkpoint that can be run. */
export interface LoadedModel {
  model: Llama;
  tokenizer: Tokenizer;
  /** Where it lies on this machine. */
  folder: string;
}

/**
 * Loads a checkpoint, a folder in the Hugging Face layout or `hf://OWNER/NAME`, onto a device, with its
 * tokenizer; not trainable unless asked for. `model.dispose()` frees it.
 * @throws UserError naming the file and what is wrong with it.
 */
export async function loadModel(
  location: string,
  { logger = silentLogger, trainable = false, numPositions, ...choice }: LoadModelOptions = {},
): Promise<LoadedModel> {
  const folder = await checkpointFolder(location, logger);
  const tokenizer = await loadTokenizer(folder, {
    onFallback: (reason) => logger.warn(reason),
    onWarning: (warning) => logger.warn(warning),
  });
  await selectDevice(choice, logger);
  const { model } = loadLlama(folder, { trainable, ...(numPositions === undefined ? {} : { numPositions }) });
  return { model, tokenizer, folder };
}
