import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '@lethe/run';

/**
 * SHA-256 of a model's weights, hexadecimal: of its safetensors files, in the order of their names.
 * @throws UserError where the folder holds none.
 */
export async function weightsDigest(model: string): Promise<string> {
  const files = readdirSync(model)
    .filter((name) => name.endsWith('.safetensors'))
    .sort();
  if (files.length === 0) throw new UserError(`${model}: no .safetensors file in it`);
  const hash = createHash('sha256');
  for (const name of files) await pipeline(createReadStream(join(model, name)), hash, { end: false });
  return hash.digest('hex');
}
