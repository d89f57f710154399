import type { Logger } from '@lethe/run';
import { modelFolder } from './fetch-model.js';

/**
 * The folder of a checkpoint that a user names: a folder as it is, `hf://owner/name` downloaded into the standard cache.
 * @throws SourceError when it cannot be had.
 */
export async function checkpointFolder(location: string, logger: Logger): Promise<string> {
  const folder = await modelFolder(location, { onFile: (file) => logger.progress(file) });
  if (folder !== location) logger.endProgress();
  return folder;
}
