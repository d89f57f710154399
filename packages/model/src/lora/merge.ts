import { requireSums } from '@lethe/run';
import { openModelFolder } from '../checkpoint-files.js';
import { type ExportOptions, exportModelFolder } from '../export-model.js';
import { parameterSpecs } from '../parameter-names.js';
import { float32ToBf16 } from '../safetensors/half-precision.js';
import type { TensorSource } from '../safetensors/reader.js';
import type { Adapter } from './adapter.js';

/** Stored weights with an adapter's change added in fp32; all others as they are. Needs the adapter's device. */
export function mergedSource(source: TensorSource, adapter: Adapter): TensorSource {
  const adapted = new Set(adapter.names.map((name) => `${name}.weight`));
  const merged = (name: string): Float32Array => {
    const values = source.readFloat32(name);
    const delta = adapter.delta(name.replace(/\.weight$/, ''))!;
    const changes = delta.dataSync() as Float32Array;
    delta.dispose();
    for (let i = 0; i < values.length; i++) values[i] += changes[i];
    return values;
  };
  return {
    tensors: source.tensors,
    readFloat32: (name) => (adapted.has(name) ? merged(name) : source.readFloat32(name)),
    readBf16Parts: (name) => (adapted.has(name) ? [rounded(merged(name))] : source.readBf16Parts(name)),
    readInt32: (name) => source.readInt32(name),
    close: () => source.close(),
  };
}

function rounded(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  float32ToBf16(values, bits);
  return bits;
}

/** How a merged model is written. */
export type MergedOptions = Omit<ExportOptions, 'config' | 'tensors' | 'rawConfig'>;

/**
 * Writes a checkpoint with an adapter's change in its weights, one tensor at a time: added in fp32, rounded once to `dtype`.
 * @param base folder of the checkpoint that the adapter changes.
 * @throws UserError as {@link exportModelFolder} and {@link openModelFolder}.
 */
export async function exportMerged(base: string, adapter: Adapter, options: MergedOptions): Promise<void> {
  requireSums(base);
  const { config, rawConfig, tensors } = openModelFolder(base);
  const source = mergedSource(tensors, adapter);
  function* all(): Generator<{ name: string; shape: number[]; data: Float32Array }> {
    for (const { name, shape } of parameterSpecs(config)) yield { name, shape, data: source.readFloat32(name) };
  }
  try {
    await exportModelFolder({ config, rawConfig, tensors: all(), ...options });
  } finally {
    tensors.close();
  }
}
