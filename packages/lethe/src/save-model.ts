import { type Llama, saveLlama, type SaveOptions } from '@lethe/model';
import { lockBeside, whileLocked } from '@lethe/run';

/**
 * Writes a model in the Hugging Face layout: config, weights, generation config, tokenizer files.
 * @throws LockedError while another process writes to the folder; UserError where it is not empty and `replace` is not set.
 */
export const saveModel = (model: Llama, out: string, options: SaveOptions = {}): Promise<void> =>
  whileLocked(lockBeside(out), () => saveLlama(model, out, options));
