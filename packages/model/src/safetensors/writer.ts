import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncPath, temporaryPath, writing } from '@lethe/run';
import type { ParameterSpec } from '../parameter-names.js';
import { DTYPE_BITS } from './dtype.js';
import { float32ToBf16, float32ToFloat16 } from './half-precision.js';
import { SafetensorsError } from './safetensors-error.js';

/** Number formats that can be written. */
export type StoredDtype = 'F32' | 'F16' | 'BF16';

/** One tensor on its way to a file: dense, row major. */
export interface NamedTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

/** Writes the tensors of one file in any order. */
export interface SafetensorsWriter {
  /** @throws SafetensorsError for a tensor that is not in the layout, of another shape, written twice or too large. */
  write(tensor: NamedTensor): void;
  /** Syncs and renames the file into place. @throws SafetensorsError naming tensors that were not written. */
  finish(): void;
  /** Removes what was written. */
  abort(): void;
}

/** Number format and metadata of a file. */
export interface SafetensorsWriterOptions {
  dtype?: StoredDtype;
  /** Default `{format: 'pt'}`, which transformers requires. */
  metadata?: Record<string, string>;
}

const CONVERTED_ELEMENTS = 1 << 20;

/**
 * Starts a safetensors file whose tensors are known by name and shape, and come one by one. Values are rounded to
 * nearest even. The file appears under its name only when finished.
 */
export function createSafetensorsWriter(
  file: string,
  layout: readonly ParameterSpec[],
  options: SafetensorsWriterOptions = {},
): SafetensorsWriter {
  const { dtype = 'F32', metadata = { format: 'pt' } } = options;
  const { header, starts } = layOut(layout, dtype, metadata);
  const shapes = new Map(layout.map(({ name, shape }) => [name, shape]));
  const missing = new Set(shapes.keys());
  const temporary = temporaryPath(file);
  const handle = writing(file, () => openSync(temporary, 'w'));
  writing(file, () => writeFully(handle, header, 0), header.length);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(handle);
    isOpen = false;
  };
  return {
    write: (tensor) => {
      const { name, data } = tensor;
      checkTensor(file, tensor, shapes.get(name));
      if (!missing.delete(name)) throw new SafetensorsError(`${file}: tensor '${name}' was written twice`);
      const start = header.length + starts.get(name)!;
      const bytes = (data.length * DTYPE_BITS[dtype]) / 8;
      const unwritable = writing(file, () => writeValues(handle, data, { dtype, start }), bytes);
      if (unwritable === undefined) return;
      throw new SafetensorsError(`${file}: tensor '${name}': ${dtype} cannot hold ${unwritable}; choose F32 or BF16`);
    },
    finish: () => {
      if (missing.size > 0) {
        throw new SafetensorsError(`${file}: expected tensors that were not written: ${[...missing].join(', ')}`);
      }
      writing(file, () => fsyncSync(handle));
      close();
      renameSync(temporary, file);
      syncPath(dirname(file));
    },
    abort: () => {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

/** Writes all tensors of one file. @throws SafetensorsError as {@link SafetensorsWriter}; then no file is left. */
export function writeSafetensors(
  file: string,
  tensors: readonly NamedTensor[],
  options: SafetensorsWriterOptions = {},
): void {
  const layout = tensors.map(({ name, shape }) => ({ name, shape: [...shape] }));
  const writer = createSafetensorsWriter(file, layout, options);
  try {
    for (const tensor of tensors) writer.write(tensor);
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

function layOut(layout: readonly ParameterSpec[], dtype: StoredDtype, metadata: Record<string, string>) {
  const starts = new Map<string, number>();
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let position = 0;
  for (const { name, shape } of layout) {
    const end = position + shape.reduce((size, n) => size * n, DTYPE_BITS[dtype] / 8);
    entries.push([name, { dtype, shape, data_offsets: [position, end] }]);
    starts.set(name, position);
    position = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  // Spaces bring the data to a multiple of 8 bytes, as the format asks.
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  return { header, starts };
}

function checkTensor(file: string, { name, shape, data }: NamedTensor, expected: number[] | undefined): void {
  if (!expected) throw new SafetensorsError(`${file}: tensor '${name}' was not expected`);
  const numElements = expected.reduce((size, n) => size * n, 1);
  if (expected.join() !== shape.join() || data.length !== numElements) {
    const received = `[${shape.join(', ')}] with ${data.length} values`;
    throw new SafetensorsError(
      `${file}: tensor '${name}': expected shape [${expected.join(', ')}], received ${received}`,
    );
  }
}

/** Returns the first finite value that the format would turn infinite. */
function writeValues(handle: number, data: Float32Array, target: { dtype: StoredDtype; start: number }) {
  const { dtype, start } = target;
  if (dtype === 'F32') {
    writeFully(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
    return undefined;
  }
  const narrow = dtype === 'F16' ? float32ToFloat16 : float32ToBf16;
  const infinity = dtype === 'F16' ? 0x7c00 : 0x7f80;
  for (let done = 0; done < data.length; done += CONVERTED_ELEMENTS) {
    const part = data.subarray(done, done + CONVERTED_ELEMENTS);
    const bits = new Uint16Array(part.length);
    narrow(part, bits);
    const overflow = bits.findIndex((value, i) => (value & 0x7fff) === infinity && Number.isFinite(part[i]));
    if (overflow >= 0) return part[overflow];
    writeFully(handle, new Uint8Array(bits.buffer), start + done * 2);
  }
  return undefined;
}

function writeFully(handle: number, bytes: Uint8Array, start: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(handle, bytes, done, Math.min(bytes.length - done, 1 << 30), start + done);
  }
}
