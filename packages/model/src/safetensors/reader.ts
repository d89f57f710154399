import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { extname } from 'node:path';
import { readingProblem, requireFile } from '@lethe/run';
import { DTYPE_BITS } from './dtype.js';
import { bf16ToFloat32, float16ToFloat32, float32ToBf16 } from './half-precision.js';
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader, type TensorInfo } from './header.js';
import { SafetensorsError } from './safetensors-error.js';

/** Named tensors in one or several files, read one at a time. */
export interface TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads F32, F16 or BF16 as fp32. @throws SafetensorsError for another dtype or a name that is not there. */
  readFloat32(name: string): Float32Array;
  /** Reads the same as bf16 bit patterns, in parts of at most a million elements: no copy of the tensor is held. */
  readBf16Parts(name: string): Iterable<Uint16Array>;
  /** Reads I32. @throws SafetensorsError for another dtype or a name that is not there. */
  readInt32(name: string): Int32Array;
  /** Closes the files; reading afterwards is an error. */
  close(): void;
}

/** A {@link TensorSource} of one file. */
export interface SafetensorsFile extends TensorSource {
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const PICKLE_EXTENSIONS = ['.bin', '.pt', '.pth', '.ckpt', '.pkl'];
const CONVERTED_ELEMENTS = 1 << 20;

/**
 * Opens a safetensors file and checks its header (see {@link parseHeader}); tensors are read when asked for, straight
 * into their own memory.
 *
 * @throws SafetensorsError naming the file and what is wrong with it; pickle files are refused.
 */
export function openSafetensors(file: string): SafetensorsFile {
  requireFile(file);
  refusePickle(file);
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (cause) {
    throw new SafetensorsError(`${file}: cannot open the weights: ${readingProblem(cause)}`, { cause });
  }
  try {
    const { header, dataStart } = readHeader(handle, file);
    const { tensors, metadata } = header;
    const find = (name: string) => {
      const info = tensors.get(name);
      if (!info) throw new SafetensorsError(`${file}: there is no tensor '${name}'`);
      return info;
    };
    const reading = (name: string, info: TensorInfo): Reading => ({
      handle,
      file,
      name,
      start: dataStart + info.begin,
    });
    return {
      file,
      tensors,
      metadata,
      readFloat32: (name) => readFloats(find(name), reading(name, find(name))),
      readBf16Parts: (name) => bf16Parts(find(name), reading(name, find(name))),
      readInt32: (name) => readIntegers(find(name), reading(name, find(name))),
      close: () => closeSync(handle),
    };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

/**
 * Refuses names of PyTorch's pickle formats.
 *
 * @throws SafetensorsError with the reason and what to do.
 */
export function refusePickle(file: string): void {
  if (!PICKLE_EXTENSIONS.includes(extname(file))) return;
  throw new SafetensorsError(
    `${file}: pickle files can run code when they are opened, so Lethe does not read them; ` +
      `save the model as safetensors (in Python: model.save_pretrained(folder, safe_serialization=True))`,
  );
}

function readHeader(handle: number, file: string): { header: SafetensorsHeader; dataStart: number } {
  const fileBytes = fstatSync(handle).size;
  if (fileBytes < 8) throw new SafetensorsError(`${file}: expected at least 8 bytes, received ${fileBytes}`);
  const prefix = Buffer.alloc(8);
  const reading = { handle, file, name: 'the header' };
  readFully(prefix, { ...reading, start: 0 });
  const headerBytes = Number(prefix.readBigUInt64LE());
  const limit = Math.min(MAX_HEADER_BYTES, fileBytes - 8);
  if (headerBytes < 2 || headerBytes > limit) {
    const hint = prefix.toString('latin1').startsWith('PK') ? ' (this is a zip or PyTorch file)' : '';
    throw new SafetensorsError(`${file}: expected a header of 2 to ${limit} bytes, received ${headerBytes}${hint}`);
  }
  const bytes = Buffer.alloc(headerBytes);
  readFully(bytes, { ...reading, start: 8 });
  const dataStart = 8 + headerBytes;
  return { header: parseHeader(bytes, fileBytes - dataStart, file), dataStart };
}

interface Reading {
  handle: number;
  file: string;
  name: string;
  /** First byte in the file. */
  start: number;
}

function readFully(target: Uint8Array, { handle, file, name, start }: Reading): void {
  for (let done = 0; done < target.length;) {
    const length = Math.min(target.length - done, 1 << 30); // one read call returns less than 2 GiB
    const read = readSync(handle, target, done, length, start + done);
    if (read === 0) throw new SafetensorsError(`${file}: '${name}' ended early: the file changed while it was read`);
    done += read;
  }
}

function readFloats(info: TensorInfo, reading: Reading): Float32Array {
  const { dtype, numElements } = info;
  const values = new Float32Array(numElements);
  if (dtype === 'F32') {
    readFully(new Uint8Array(values.buffer), reading);
    return values;
  }
  if (dtype !== 'F16' && dtype !== 'BF16') return refuseDtype(info, reading, 'F32, F16 or BF16');
  const widen = dtype === 'F16' ? float16ToFloat32 : bf16ToFloat32;
  const chunk = new Uint16Array(Math.min(numElements, CONVERTED_ELEMENTS));
  for (let done = 0; done < numElements; done += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, numElements - done));
    const bytes = new Uint8Array(part.buffer, 0, part.byteLength);
    readFully(bytes, { ...reading, start: reading.start + done * (DTYPE_BITS[dtype] / 8) });
    widen(part, values.subarray(done, done + part.length));
  }
  return values;
}

function* bf16Parts(info: TensorInfo, reading: Reading): Generator<Uint16Array> {
  const { dtype, numElements } = info;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') return refuseDtype(info, reading, 'F32, F16 or BF16');
  const size = DTYPE_BITS[dtype] / 8;
  for (let done = 0; done < numElements; done += CONVERTED_ELEMENTS) {
    const bytes = new Uint8Array(Math.min(CONVERTED_ELEMENTS, numElements - done) * size);
    readFully(bytes, { ...reading, start: reading.start + done * size });
    if (dtype === 'BF16') {
      yield new Uint16Array(bytes.buffer);
      continue;
    }
    const floats = dtype === 'F32' ? new Float32Array(bytes.buffer) : new Float32Array(bytes.length / 2);
    if (dtype === 'F16') float16ToFloat32(new Uint16Array(bytes.buffer), floats);
    const bits = new Uint16Array(floats.length);
    float32ToBf16(floats, bits);
    yield bits;
  }
}

function readIntegers(info: TensorInfo, reading: Reading): Int32Array {
  if (info.dtype !== 'I32') return refuseDtype(info, reading, 'I32');
  const values = new Int32Array(info.numElements);
  readFully(new Uint8Array(values.buffer), reading);
  return values;
}

function refuseDtype({ dtype }: TensorInfo, { file, name }: Reading, expected: string): never {
  throw new SafetensorsError(`${file}: tensor '${name}': expected dtype ${expected}, received ${dtype}`);
}
