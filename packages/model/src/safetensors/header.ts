import { showValue } from '../show-value.js';
import { DTYPE_BITS, isDtype, type SafetensorsDtype } from './dtype.js';
import { findDuplicateKey } from './json-duplicates.js';
import { SafetensorsError } from './safetensors-error.js';

/** The reference implementation's limit; a larger header is an attack or another format. */
export const MAX_HEADER_BYTES = 100_000_000;

/** What a header says of one tensor. */
export interface TensorInfo {
  dtype: SafetensorsDtype;
  shape: number[];
  /** Product of the shape; 1 for a scalar. */
  numElements: number;
  /** First byte, and the byte after the last, from the start of the data. */
  begin: number;
  end: number;
}

/** A checked header: its tensors tile the data without gap or overlap. */
export interface SafetensorsHeader {
  tensors: Map<string, TensorInfo>;
  metadata: Record<string, string>;
}

/**
 * Checks everything a header claims: JSON without duplicate keys, known dtypes, shapes whose sizes neither overflow nor
 * differ from their byte ranges, and ranges that cover the `dataBytes` of the file exactly once.
 *
 * @throws SafetensorsError naming `file` and the tensor.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, file: string): SafetensorsHeader {
  const entries = parseObject(bytes, file);
  const tensors = new Map<string, TensorInfo>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(entries)) {
    if (name === '__metadata__') metadata = parseMetadata(entry, file);
    else tensors.set(name, parseTensorInfo(entry, `${file}: tensor '${name}'`));
  }
  checkTiling(tensors, dataBytes, file);
  return { tensors, metadata };
}

function parseObject(bytes: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(`${file}: the header is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SafetensorsError(`${file}: expected the header to be a mapping of tensors`);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw new SafetensorsError(`${file}: the header has the key '${duplicate}' twice`);
  return parsed as Record<string, unknown>;
}

function parseMetadata(entry: unknown, file: string): Record<string, string> {
  const isMapping = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
  if (isMapping && Object.values(entry).every((value) => typeof value === 'string')) return entry as never;
  throw new SafetensorsError(`${file}: expected __metadata__ to be a mapping of strings`);
}

function parseTensorInfo(entry: unknown, where: string): TensorInfo {
  if (typeof entry !== 'object' || entry === null) throw new SafetensorsError(`${where}: expected a mapping`);
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BITS).join(', ');
    throw new SafetensorsError(`${where}: expected a dtype of ${known}, received ${showValue(dtype)}`);
  }
  if (!isSizeList(shape))
    throw new SafetensorsError(`${where}: expected a shape of sizes, received ${showValue(shape)}`);
  if (!isSizeList(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw new SafetensorsError(`${where}: expected data_offsets [begin, end], received ${showValue(offsets)}`);
  }
  const numElements = shape.reduce((product, size) => product * size, 1);
  const numBytes = (numElements * DTYPE_BITS[dtype]) / 8;
  if (!Number.isSafeInteger(numBytes)) throw new SafetensorsError(`${where}: the shape ${showValue(shape)} overflows`);
  const [begin, end] = offsets;
  if (end - begin !== numBytes) {
    const expected = `${numBytes} bytes for ${dtype} of shape ${showValue(shape)}`;
    throw new SafetensorsError(`${where}: expected ${expected}, received ${end - begin}`);
  }
  return { dtype, shape, numElements, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkTiling(tensors: Map<string, TensorInfo>, dataBytes: number, file: string): void {
  let position = 0;
  let previous = 'the header';
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of sorted) {
    const where = `${file}: tensor '${name}'`;
    if (begin < position) {
      throw new SafetensorsError(`${where} overlaps ${previous}: begins at ${begin}, before ${position}`);
    }
    if (begin > position) {
      throw new SafetensorsError(`${where}: a hole of ${begin - position} bytes lies between it and ${previous}`);
    }
    if (end > dataBytes) {
      throw new SafetensorsError(`${where} ends at byte ${end} of ${dataBytes}: the file was cut off`);
    }
    position = end;
    previous = `'${name}'`;
  }
  if (position !== dataBytes) {
    throw new SafetensorsError(`${file}: ${dataBytes - position} bytes follow the last tensor, ${previous}`);
  }
}

const isSizeList = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
